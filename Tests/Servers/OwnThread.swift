import Foundation

/// Runs blocking work on its own thread, so that it does not delay other tests.
///
/// Polling tests pass through here repeatedly: once the test's time limit is over, this throws.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}
