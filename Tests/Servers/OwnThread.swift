import Foundation

/// Runs blocking work on a thread of its own, so that it holds up no other test.
///
/// Whoever waits for a condition by asking again and again comes through here: when the test's time is over, this throws.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}
