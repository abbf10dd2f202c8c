import BatonConfig
import Foundation
import Testing

/// The available memory according to the kernel.
@Suite struct MachineMemoryTests {
    private func available(_ files: [String: String]) throws -> Int64 {
        let root = FileManager.default.temporaryDirectory.appending(path: "memory-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return MachineMemory(root: root.path).available
    }

    private let machine = "MemFree: 5 kB\nMemTotal:        8388608 kB\n"

    @Test("Without a cgroup the machine's memory counts")
    func machineAlone() throws {
        #expect(try available(["proc/meminfo": machine]) == 8 << 30)
        #expect(try available([:]) == 1 << 30)
    }

    @Test("The smallest limit of a version 2 cgroup and its parents counts")
    func versionTwo() throws {
        let files = [
            "proc/meminfo": machine, "proc/self/cgroup": "0::/system.slice/baton.service\n",
            "sys/fs/cgroup/system.slice/memory.max": "2147483648\n",
            "sys/fs/cgroup/system.slice/baton.service/memory.max": "max\n",
        ]
        #expect(try available(files) == 2 << 30)
        let lower = ["sys/fs/cgroup/system.slice/baton.service/memory.max": "1073741824\n"]
        #expect(try available(files.merging(lower) { $1 }) == 1 << 30)
    }

    @Test("In a container the cgroup's files are at the root of the mount")
    func container() throws {
        let files = [
            "proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n",
        ]
        #expect(try available(files) == 512 << 20)
    }

    @Test("The limits of version 1 cgroups count where version 1 controls memory")
    func versionOne() throws {
        let files = [
            "proc/meminfo": machine, "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/x\n0::/\n",
            "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "1610612736\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try available(files) == 1536 << 20)
    }

    @Test("A limit above the machine's memory does not count")
    func unlimited() throws {
        let files = [
            "proc/meminfo": machine, "proc/self/cgroup": "4:memory:/x\n",
            "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try available(files) == 8 << 30)
    }
}
