/// Wakes a background task. Calls that come while the task works cause one further wake, not several.
package final class WakeSignal: Sendable {
    /// The sequence of wakes, to be consumed by one task.
    package let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() { (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    package func wake() { continuation.yield() }
}
