import FoundationEssentials

/// How much memory this process can have: the machine's, or what its control groups (cgroups, version 1 and 2) leave of that.
package struct MachineMemory: Sendable {
    /// Where the kernel's files are: the root directory, but for tests.
    private let root: String

    /// - Parameter root: what stands before `/proc` and `/sys`.
    package init(root: String = "") { self.root = root }

    /// The smallest of all limits, in bytes; 1 GiB when the system says nothing.
    package var available: Int64 { (limits + [total].compactMap { $0 }).min() ?? 1 << 30 }

    private var total: Int64? {
        let line = lines("/proc/meminfo").first { $0.hasPrefix("MemTotal:") }
        let words = line?.split(separator: " ") ?? []
        return words.count > 1 ? Int64(words[1]).map { $0 * 1024 } : nil
    }

    /// Those of the groups that the process is in and of the groups above them. Inside of a container the path may be one that only
    /// the host has; then the mount's own root is the container's group.
    private var limits: [Int64] {
        lines("/proc/self/cgroup").flatMap { line -> [Int64] in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            if parts[1].isEmpty { return limits(below: "/sys/fs/cgroup", parts[2], "memory.max") }
            guard parts[1].split(separator: ",").contains("memory") else { return [] }
            return limits(below: "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
        }
    }

    private func limits(below mount: String, _ path: Substring, _ file: String) -> [Int64] {
        var group = path.split(separator: "/")
        var limits: [Int64] = []
        while true {
            let directory = ([Substring(mount)] + group).joined(separator: "/")
            // "max" is not a number; version 1 writes a huge one for no limit.
            if let limit = lines("\(directory)/\(file)").first.flatMap({ Int64($0) }), limit > 0 { limits.append(limit) }
            if group.popLast() == nil { return limits }
        }
    }

    private func lines(_ path: String) -> [Substring] {
        guard let data = try? Data(contentsOf: URL(filePath: root + path)) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}
