import ImageModel
import Synchronization

/// The running full reads, at most one per location, so that taking a location out of service can end its read.
final class RunningReads: Sendable {
    private let tasks = Mutex<[LocationID: Task<Verifier.Result, any Error>]>([:])

    /// Runs a read, unless one of that location is running.
    func run(
        _ location: LocationID, _ read: @escaping @Sendable () async throws -> Verifier.Result
    ) async throws -> Verifier.Result {
        let task = tasks.withLock { tasks -> Task<Verifier.Result, any Error>? in
            guard tasks[location] == nil else { return nil }
            let task = Task(operation: read)
            tasks[location] = task
            return task
        }
        guard let task else { return .skipped }
        defer { tasks.withLock { $0[location] = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Cancels a read; its progress is kept.
    func cancel(_ location: LocationID) { tasks.withLock { $0[location] }?.cancel() }
}
