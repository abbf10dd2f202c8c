package import ImageModel
import Synchronization

/// The full reads that are under way, at most one of each location, so that a change of status can end a location's read.
package final class RunningReads: Sendable {
    private let cancellations = Mutex<[LocationID: @Sendable () -> Void]>([:])

    /// Runs a read.
    /// - Returns: nil if a read of that location is under way already.
    package func run<Result: Sendable>(
        _ location: LocationID, _ read: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        let task = cancellations.withLock { cancellations -> Task<Result, any Error>? in
            guard cancellations[location] == nil else { return nil }
            let task = Task(operation: read)
            cancellations[location] = { task.cancel() }
            return task
        }
        guard let task else { return nil }
        defer { cancellations.withLock { $0[location] = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Cancels the read of a location; its progress is kept. Has no effect if none is under way.
    package func cancel(_ location: LocationID) { cancellations.withLock { $0[location] }?() }
}
