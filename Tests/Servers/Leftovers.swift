import Glibc
import Synchronization

/// Cleanups at the end of the whole run, for objects that are still alive then and get no `deinit`.
package enum Leftovers {
    private static let all = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])
    private static let registration: Void = {
        atexit { for clear in Leftovers.all.withLock({ $0 }).values { clear() } }
        return ()
    }()

    /// Calls `clear` at the end, unless the owner is removed before.
    package static func add(_ owner: AnyObject, clear: @escaping @Sendable () -> Void) {
        _ = registration
        all.withLock { $0[ObjectIdentifier(owner)] = clear }
    }

    /// Removes an owner that has cleaned up by itself.
    package static func remove(_ owner: AnyObject) { all.withLock { $0[ObjectIdentifier(owner)] = nil } }
}
