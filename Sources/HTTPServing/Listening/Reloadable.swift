import Synchronization

/// A setting that can be replaced while the server runs: what begins afterwards goes by the new one.
package final class Reloadable<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    /// A setting as the server starts with it.
    package init(_ value: Value) { self.value = Mutex(value) }

    /// The setting as it is now.
    package var current: Value { value.withLock { $0 } }

    /// Replaces it.
    package func replace(with new: Value) { value.withLock { $0 = new } }
}
