import CurlTransfer
import Glibc
import ImageModel
import RelayEngine
import ServiceLifecycle

/// The limit on this process's open descriptors.
enum DescriptorLimit {
    /// Raises the limit as far as the system permits.
    /// - Returns: the limit in effect.
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

    /// The number of descriptors reserved for the catalog, the log, the loops and the files of a few uploads.
    private static let reserved = 128
    /// The largest default limit of connections, more than one process can use.
    private static let most = 100_000

    /// The limits on client connections: the configured ones, or by default half of the unreserved descriptors, since each
    /// download needs another descriptor for its backend, and a quarter of that for one address.
    /// - Parameter descriptors: the number of descriptors that this process may have.
    static func connections(_ descriptors: Int, total: Int?, perAddress: Int?) -> (total: Int, perAddress: Int) {
        let total = total ?? min(most, max(16, (descriptors - reserved) / 2))
        return (total, min(total, perAddress ?? max(16, total / 4)))
    }
}

extension FileMode {
    /// Sets the umask so that files created from now on have at most this mode. A stricter umask is kept.
    func limitProcess() {
        let inherited = Glibc.umask(umask)
        _ = Glibc.umask(inherited | umask)
    }
}

/// Returns free heap memory to the system after downloads have ended.
struct MemoryRelease: Service, CustomStringConvertible {
    /// The interval between checks.
    private static let interval: Duration = .seconds(10)

    let running: RunningRelays
    /// A loop without latency requirements.
    let loop: TransferLoop

    var description: String { "release of memory" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var most = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let count = running.count
                if count < most {
                    loop.enqueue { FreedMemory.release() }
                    most = count
                }
                most = max(most, count)
            }
        }
    }
}
