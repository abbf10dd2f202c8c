import Foundation
import Glibc
import Synchronization

/// A temporary directory, which is removed together with this object.
package final class TestDirectory: Sendable {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "baton-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        Leftovers.add(self) { [path] in try? FileManager.default.removeItem(atPath: path) }
    }

    deinit {
        Leftovers.remove(self)
        try? FileManager.default.removeItem(atPath: path)
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }
}

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
