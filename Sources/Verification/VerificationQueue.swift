import ImageCatalog
package import ImageModel
import LocationLifecycle
package import Logging
import ServiceLifecycle
import Synchronization

/// Verifies locations in the background on request: by operators, after failed verifications, for ranges of unverified
/// locations, and on schedule.
package final class VerificationQueue: Service, CustomStringConvertible {
    /// A class of locations with its own readers. A location without a declared size may be endless, and must not keep the
    /// others from being read.
    private enum Lane: CaseIterable {
        case regular, undeclaredSize
    }

    private struct State {
        var waiting: [Lane: [LocationID]] = [:]
        var running: [LocationID: Lane] = [:]
        var listeners: [LocationID: [AsyncStream<Verifier.Result>.Continuation]] = [:]
        /// Whether the queue has ended, since another server took over.
        var isOver = false

        func isKnown(_ location: LocationID) -> Bool {
            running[location] != nil || waiting.values.contains { $0.contains(location) }
        }
    }

    private let verifier: Verifier
    private let pace: ReadRateLimiter
    private let readers: Int
    private let logger: Logger
    private let state = Mutex(State())
    private let signal = WakeSignal()

    /// Creates an empty queue, which works while `run()` runs.
    /// - Parameters:
    ///   - pace: the rate limit of all its reads together.
    ///   - readers: the number of concurrent reads, and of additional ones for locations without a declared size; at least 1.
    package init(verifier: Verifier, pace: ReadRateLimiter, readers: Int, logger: Logger) {
        self.verifier = verifier
        self.pace = pace
        self.readers = max(1, readers)
        self.logger = logger
    }

    /// Requests a read of the location, unless one is waiting or running.
    package func enqueue(_ location: LocationID) { enqueue(location, listener: nil) }

    private func enqueue(_ location: LocationID, listener: AsyncStream<Verifier.Result>.Continuation?) {
        state.withLock { state in
            if state.isOver {
                listener?.finish()
                return
            }
            if let listener { state.listeners[location, default: []].append(listener) }
            if !state.isKnown(location) { state.waiting[.regular, default: []].append(location) }
        }
        signal.wake()
    }

    /// Requests a read of the location and waits for its end, but not longer than `limit` or than the queue runs.
    /// - Returns: the result of the read; nil if it did not end in time or failed in the catalog.
    @discardableResult
    package func verify(_ location: LocationID, within limit: Duration) async -> Verifier.Result? {
        let (results, listener) = AsyncStream.makeStream(of: Verifier.Result.self)
        enqueue(location, listener: listener)
        let timer = Task {
            try await Task.sleep(for: limit)
            listener.finish()
        }
        defer { timer.cancel() }
        for await result in results { return result }
        return nil
    }

    /// The service's name in the log.
    package var description: String { "verification queue" }

    /// Runs until the task is cancelled or the service shuts down. Running reads are then cancelled and keep their progress.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await _ in self.signal.wakes {
                    while let (next, lane) = self.take() { group.addTask { await self.work(on: next, in: lane) } }
                }
            }
        }
        let listeners = state.withLock { state in
            state.isOver = true
            defer { state.listeners = [:] }
            return state.listeners.values.flatMap(\.self)
        }
        for listener in listeners { listener.finish() }
    }

    /// The next location, if a reader is free for it.
    private func take() -> (LocationID, Lane)? {
        state.withLock { state in
            for lane in Lane.allCases where state.running.values.count(where: { $0 == lane }) < readers {
                guard let next = state.waiting[lane]?.first else { continue }
                state.waiting[lane]?.removeFirst()
                state.running[next] = lane
                return (next, lane)
            }
            return nil
        }
    }

    private func work(on location: LocationID, in lane: Lane) async {
        if lane == .regular, await !isSizeDeclared(of: location) {
            state.withLock { state in
                state.running[location] = nil
                state.waiting[.undeclaredSize, default: []].append(location)
            }
            return signal.wake()
        }
        let result = await verify(location)
        let listeners = state.withLock { state in
            state.running[location] = nil
            return state.listeners.removeValue(forKey: location) ?? []
        }
        for listener in listeners {
            if let result { listener.yield(result) }
            listener.finish()
        }
        signal.wake()
    }

    /// Whether the size to read is declared. If the catalog can't be read, the read itself reports the failure.
    private func isSizeDeclared(of location: LocationID) async -> Bool {
        (try? await verifier.isSizeDeclared(of: location)) ?? true
    }

    private func verify(_ location: LocationID) async -> Verifier.Result? {
        do {
            return try await verifier.verify(location, pace: pace)
        } catch is CancellationError {
            return nil
        } catch {
            logger.error(
                "verification.failed: A location could not be verified.",
                metadata: ["location": "\(location)", "error": "\(error)"])
            return nil
        }
    }
}
