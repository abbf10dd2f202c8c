internal import ImageCatalog
public import ImageModel
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Verifies locations in the background as they are asked for: by operators, by failed proofs, by ranges of what was never
/// proven, by their dates.
public final class ProofQueue: Service, CustomStringConvertible {
    private struct State {
        var waiting: [LocationID] = []
        var running: Set<LocationID> = []
        var listeners: [LocationID: [AsyncStream<Void>.Continuation]] = [:]
    }

    private let verifier: Verifier
    private let pace: ReadPace
    private let readers: Int
    private let logger: Logger
    private let state = Mutex(State())
    private let signal = WakeSignal()

    /// An empty queue; it works while `run()` runs.
    /// - Parameters:
    ///   - pace: how fast all its reads may go together.
    ///   - readers: how many locations are read at a time; at least 1.
    public init(verifier: Verifier, pace: ReadPace, readers: Int, logger: Logger) {
        self.verifier = verifier
        self.pace = pace
        self.readers = max(1, readers)
        self.logger = logger
    }

    /// Asks for a read of the location, unless one is waiting or running already.
    public func enqueue(_ location: LocationID) { enqueue(location, listener: nil) }

    private func enqueue(_ location: LocationID, listener: AsyncStream<Void>.Continuation?) {
        state.withLock { state in
            if let listener { state.listeners[location, default: []].append(listener) }
            guard !state.waiting.contains(location), !state.running.contains(location) else { return }
            state.waiting.append(location)
        }
        signal.wake()
    }

    /// Asks for a read of the location, and waits for its end, but not longer than `limit`.
    public func verify(_ location: LocationID, within limit: Duration) async {
        let (end, listener) = AsyncStream.makeStream(of: Void.self)
        enqueue(location, listener: listener)
        let timer = Task {
            try await Task.sleep(for: limit)
            listener.finish()
        }
        for await _ in end {}
        timer.cancel()
    }

    /// As the log of the services' life names it.
    public var description: String { "proof queue" }

    /// Works until the task is cancelled or the service shuts down; running reads are then cut off and keep their progress.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await _ in self.signal.wakes {
                    while let next = self.take() { group.addTask { await self.work(on: next) } }
                }
            }
        }
    }

    /// The next location, if a reader is free for it.
    private func take() -> LocationID? {
        state.withLock { state in
            guard state.running.count < readers, !state.waiting.isEmpty else { return nil }
            let next = state.waiting.removeFirst()
            state.running.insert(next)
            return next
        }
    }

    private func work(on location: LocationID) async {
        await prove(location)
        let listeners = state.withLock { state in
            state.running.remove(location)
            return state.listeners.removeValue(forKey: location) ?? []
        }
        for listener in listeners { listener.finish() }
        signal.wake()
    }

    private func prove(_ location: LocationID) async {
        do {
            _ = try await verifier.verify(location, pace: pace)
        } catch is CancellationError {
            return
        } catch {
            logger.error("A location could not be proven.", metadata: ["location": "\(location)", "error": "\(error)"])
        }
    }
}
