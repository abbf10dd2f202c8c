import CurlTransfer
import RelayEngine
import ServiceLifecycle

/// Gives what the heaps still hold back to the system when downloads have ended.
struct MemoryRelease: Service, CustomStringConvertible {
    /// How often it is looked at.
    private static let interval: Duration = .seconds(10)

    let relays: Relays
    /// A thread that nobody waits for.
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
