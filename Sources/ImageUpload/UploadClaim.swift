import Glibc
import ImageModel
import NIOPosix

/// The exclusive right to upload a file of one name, among all processes: a lock (flock(2)) on a separate file beside the
/// upload. The system releases it when its process ends. A held lock means that the upload is running; without one the upload
/// was interrupted.
final class UploadClaim: Sendable {
    private let path: String
    private let descriptor: Int32

    /// - Parameter mode: the upper bound of the lock file's permissions.
    /// - Returns: nil if another upload holds the lock.
    init?(_ path: String, mode: FileMode) throws(UploadError) {
        self.path = path
        while true {
            let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode.bits)
            guard opened >= 0 else { throw UploadFile.error("locking an upload", errno) }
            // `isHeld` may hold the lock for a moment, in any process.
            var isLocked = flock(opened, LOCK_EX | LOCK_NB) == 0
            for _ in 0..<5 where !isLocked {
                usleep(2000)
                isLocked = flock(opened, LOCK_EX | LOCK_NB) == 0
            }
            guard isLocked else {
                close(opened)
                return nil
            }
            // The previous upload may have removed the file in between. The lock is then on a file without a name.
            var facts = stat()
            if fstat(opened, &facts) == 0, facts.st_nlink > 0 {
                descriptor = opened
                return
            }
            close(opened)
        }
    }

    /// Releases the lock. Must be called once.
    func release() {
        unlink(path)
        close(descriptor)
    }

    /// Whether any process holds the lock.
    static func isHeld(_ path: String) -> Bool {
        let opened = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard opened >= 0 else { return false }
        defer { close(opened) }
        return flock(opened, LOCK_SH | LOCK_NB) != 0
    }
}

extension UploadDirectory {
    static let claimSuffix = ".lock"

    private func claimPath(_ name: String) -> String { Self.claimPath(name, in: root) }

    private static func claimPath(_ name: String, in root: String) -> String {
        "\(root)/\(temporaryName)/\(name)\(claimSuffix)"
    }

    /// Runs `body` while no other upload of that name can begin, in any process.
    /// - Throws: `UploadError.underWay` if one is running, and the errors of `body`.
    package func claiming<Value: Sendable>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        let (path, mode) = (claimPath(name), mode)
        guard let claim = try await threads.runIfActive({ try UploadClaim(path, mode: mode) }) else {
            throw UploadError.underWay(name: name)
        }
        do {
            let value = try await body()
            try? await threads.runIfActive { claim.release() }
            return value
        } catch {
            try? await threads.runIfActive { claim.release() }
            throw error
        }
    }

    /// Whether an upload of that name is running, in any process.
    package func isUnderWay(_ name: String) -> Bool { Self.isUnderWay(name, in: root) }

    /// A variant for the directory at a path, which may no longer accept uploads.
    package static func isUnderWay(_ name: String, in root: String) -> Bool { UploadClaim.isHeld(claimPath(name, in: root)) }
}
