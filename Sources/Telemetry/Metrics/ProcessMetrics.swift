import Glibc

/// Metrics of this process's resources, under the names that Prometheus' client libraries use.
package enum ProcessMetrics {
    package static func register(in registry: MetricsRegistry) {
        let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
        registry.gauge("process_resident_memory_bytes", "Resident memory of this process.") {
            guard let pages = words(of: "/proc/self/statm").dropFirst().first.flatMap(Double.init) else { return [] }
            return [([], pages * pageSize)]
        }
        registry.gauge("process_open_fds", "Open file descriptors.") { openDescriptors.map { [([], $0)] } ?? [] }
        registry.gauge("process_max_fds", "Maximum number of open file descriptors.") {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return [] }
            return [([], Double(limit.rlim_cur))]
        }
        registry.counter("process_cpu_seconds_total", "Processor time in user and system mode.") {
            var usage = rusage()
            guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return [] }
            return [([], seconds(usage.ru_utime) + seconds(usage.ru_stime))]
        }
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static var openDescriptors: Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0.0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count - 1  // without the descriptor that reads the directory
    }

    private static func words(of path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return [] }
        return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    }
}
