import FoundationEssentials
import Glibc
import ImageModel
import Synchronization

/// The exclusive right to do a catalog's background work and to clean up after its uploads. It is a lock (flock(2)) on a file
/// beside the catalog, with symbolic links resolved. The system releases it when its process ends.
package final class CatalogLock: Sendable {
    private let descriptor: Mutex<Int32?>

    private init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// Acquires the lock, before the catalog is opened.
    /// - Parameters:
    ///   - path: the catalog's path as configured.
    ///   - limit: how long to wait for another server to release the lock.
    /// - Throws: `CatalogLockError`.
    package static func take(_ path: String, waiting limit: Duration = .seconds(2)) async throws -> CatalogLock {
        let catalog = try realPath(path)
        let file = catalog + ".lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw CatalogLockError.unusable(file: file, cause: String(cString: strerror(errno))) }
        let deadline = ContinuousClock.now + limit
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                defer { close(descriptor) }
                throw CatalogLockError.unusable(file: file, cause: String(cString: strerror(errno)))
            }
            guard ContinuousClock.now < deadline else {
                defer { close(descriptor) }
                throw CatalogLockError.inUse(catalog: catalog, process: holder(descriptor))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
        return CatalogLock(descriptor: descriptor)
    }

    deinit { release() }

    /// Releases the lock; the catalog itself can still be used.
    package func release() {
        let held = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        guard let held else { return }
        _ = ftruncate(held, 0)
        close(held)
    }

    /// The process id in the lock file.
    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Int32(String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// The path of the catalog with symbolic links resolved, whether it exists or not.
    static func realPath(_ path: String) throws -> String {
        if let found = resolved(path) {
            var facts = stat()
            // SQLite derives the names of its companion files from the catalog's; a file with two names would have two sets of
            // them.
            guard stat(found, &facts) == 0, facts.st_nlink <= 1 else { throw CatalogLockError.severalNames(catalog: found) }
            return found
        }
        var path = path
        for _ in 0..<40 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { break }
            path = target.hasPrefix("/") ? target : "\(parent(of: path))/\(target)"
        }
        let parent = parent(of: path)
        try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        guard let directory = resolved(parent) else {
            throw CatalogLockError.unusable(file: parent, cause: String(cString: strerror(errno)))
        }
        return "\(directory)/\(path.split(separator: "/").last ?? "")"
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

/// The reason why the lock can't be acquired.
package enum CatalogLockError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another server holds the lock.
    case inUse(catalog: String, process: Int32?)
    /// The catalog has several hard links.
    case severalNames(catalog: String)
    /// The file can't be locked.
    case unusable(file: String, cause: String)

    package var description: String {
        switch self {
        case .inUse(let catalog, let process):
            "The catalog \(catalog) is in use by process \(process.map { "\($0)" } ?? "(unknown)"): stop that server first, or give "
                + "this one another catalog."
        case .severalNames(let catalog):
            "The catalog \(catalog) has several hard links, which would damage it: keep one of them, or use symbolic links."
        case .unusable(let file, let cause):
            "\(file) can't be locked (\(cause)): the catalog's directory must exist and this user must be able to write to it."
        }
    }
}

/// The files of a catalog on disk, and their permissions. SQLite gives its companion files the permissions of the catalog.
enum CatalogFiles {
    /// Creates the catalog's directory and an empty file if they do not exist, and removes permissions beyond `mode` from
    /// existing files.
    ///
    /// An existing file is never opened: closing its descriptor would release the locks that other connections of this process
    /// hold on it.
    static func prepare(_ path: String, _ mode: FileMode) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: Int(mode.directoryBits)])
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode.bits)
        if descriptor >= 0 { close(descriptor) }
        for file in [path, path + "-wal", path + "-shm"] { narrow(file, mode) }
    }

    /// Removes permissions from a file. A process that may not change them is not the owner, and leaves the file to its owner.
    private static func narrow(_ file: String, _ mode: FileMode) {
        var facts = stat()
        guard stat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o777 & ~mode.bits != 0 else {
            return
        }
        chmod(file, facts.st_mode & 0o777 & mode.bits)
    }
}
