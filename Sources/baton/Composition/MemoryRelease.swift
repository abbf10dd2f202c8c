import CurlTransfer
import RelayEngine
import ServiceLifecycle

/// Returns free heap memory to the system after downloads have ended.
struct MemoryRelease: Service, CustomStringConvertible {
    /// The interval between checks.
    private static let interval: Duration = .seconds(10)

    let relays: Relays
    /// A loop without latency requirements.
    let loop: TransferLoop

    var description: String { "release of memory" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var most = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let running = relays.runningCount
                if running < most {
                    loop.enqueue { FreedMemory.release() }
                    most = running
                }
                most = max(most, running)
            }
        }
    }
}
