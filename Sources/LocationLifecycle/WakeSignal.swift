/// Wakes a task that works in the background. Calls that come while it works make one more wake, not several.
package final class WakeSignal: Sendable {
    /// The wakes; for one task.
    package let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// A signal that has not been given.
    package init() { (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// Wakes the task.
    package func wake() { continuation.yield() }
}
