import Glibc
import Synchronization

/// What is to be cleared away at the end of the whole run: objects that are alive then get no `deinit`.
package enum Leftovers {
    private static let all = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])
    private static let registration: Void = {
        atexit { for clear in Leftovers.all.withLock({ $0 }).values { clear() } }
        return ()
    }()

    /// Calls `clear` at the end, unless the owner is taken off before.
    package static func add(_ owner: AnyObject, clear: @escaping @Sendable () -> Void) {
        _ = registration
        all.withLock { $0[ObjectIdentifier(owner)] = clear }
    }

    /// Called when the owner has cleared away by itself.
    package static func remove(_ owner: AnyObject) { all.withLock { $0[ObjectIdentifier(owner)] = nil } }
}
