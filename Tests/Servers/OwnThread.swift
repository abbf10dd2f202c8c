import Foundation

/// Runs blocking work on a thread of its own, so that it holds up no other test.
///
/// Every wait that polls a condition uses this: it throws when the test's time is over.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}
