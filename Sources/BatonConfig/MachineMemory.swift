import FoundationEssentials

/// The memory that this process can use: the machine's, limited by its control groups (cgroups, version 1 and 2).
package struct MachineMemory: Sendable {
    /// The directory above `proc` and `sys`: the root directory, except in tests.
    private let root: String

    /// - Parameter root: the path prefix of `/proc` and `/sys`.
    package init(root: String = "") { self.root = root }

    /// The smallest limit in bytes; 1 GiB if the system states none.
    package var available: Int64 { (limits + [total].compactMap { $0 }).min() ?? 1 << 30 }

    private var total: Int64? {
        let line = lines("/proc/meminfo").first { $0.hasPrefix("MemTotal:") }
        let words = line?.split(separator: " ") ?? []
        return words.count > 1 ? Int64(words[1]).map { $0 * 1024 } : nil
    }

    /// The limits of the process's groups and their parents. In a container the group's path may exist only on the host; the
    /// mount's root is then the container's group.
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
            // "max" is not a number; version 1 writes a very large number for no limit.
            if let limit = lines("\(directory)/\(file)").first.flatMap({ Int64($0) }), limit > 0 { limits.append(limit) }
            if group.popLast() == nil { return limits }
        }
    }

    private func lines(_ path: String) -> [Substring] {
        guard let data = try? Data(contentsOf: URL(filePath: root + path)) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}
