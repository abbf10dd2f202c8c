import Glibc

/// How many descriptors this process may have open.
enum DescriptorLimit {
    /// Raises the limit as far as the system lets this process.
    /// - Returns: how many it may have open now.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(min(limit.rlim_cur, 1 << 30))
    }

    /// What the catalog, the log, the loops and the files of a few uploads take.
    private static let reserved = 128
    /// More connections than one process has a use for.
    private static let most = 100_000

    /// The limits of clients' connections where the configuration sets none: half of what is left for a process with so many descriptors,
    /// since each download has another one for its backend; for one address a quarter of that.
    static func connections(_ descriptors: Int, total: Int?, perAddress: Int?) -> (total: Int, perAddress: Int) {
        let total = total ?? min(most, max(16, (descriptors - reserved) / 2))
        return (total, min(total, perAddress ?? max(16, total / 4)))
    }
}
