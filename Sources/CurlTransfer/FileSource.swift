import CLinux
import Glibc

/// A file to read, and the threads that read it.
package struct FileSource: Sendable {
    let workers: FileWorkers
    let open: @Sendable () throws(TransferError) -> OpenedFile

    /// Creates a source.
    /// - Parameters:
    ///   - workers: the threads of the file's backend.
    ///   - open: opens the file; called on a worker, since even that may block on a network disk.
    package init(workers: FileWorkers, open: @escaping @Sendable () throws(TransferError) -> OpenedFile) {
        self.workers = workers
        self.open = open
    }
}

/// A file descriptor that is closed on deinitialization.
package final class OpenedFile: Sendable {
    let descriptor: Int32

    /// Takes ownership of the descriptor.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens `path`, relative to `root`, without leaving `root` by symbolic links or dots (openat2, RESOLVE_BENEATH).
    /// - Throws: `TransferError` of kind `file` with the errno value.
    package static func open(_ path: String, beneath root: String) throws(TransferError) -> OpenedFile {
        let directory = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .system("the backend's root can't be opened") }
        defer { close(directory) }
        let descriptor = baton_open_beneath(directory, path)
        guard descriptor >= 0 else { throw .system("the file can't be opened") }
        return OpenedFile(descriptor: descriptor)
    }

    /// The error of reading at an offset within the file; nil if the read succeeds or ends.
    func readError(at offset: Int64) -> TransferError? {
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, off_t(offset)) < 0 else { return nil }
        return .system("the file can't be read")
    }

    /// The file's current facts.
    /// - Throws: `TransferError` of kind `notRegularFile` for anything but a regular file.
    func facts() throws(TransferError) -> FileFacts {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("the file can't be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TransferError(.notRegularFile, message: "the path does not name a regular file")
        }
        return FileFacts(
            size: Int64(status.st_size), inode: UInt64(status.st_ino),
            modified: .init(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec)),
            changed: .init(seconds: Int64(status.st_ctim.tv_sec), nanoseconds: Int64(status.st_ctim.tv_nsec)))
    }
}

/// The properties that distinguish one state of a file from another.
package struct FileFacts: Sendable, Hashable {
    /// A time stamp of the file system.
    package struct Time: Sendable, Hashable {
        /// The seconds since 1970.
        package let seconds: Int64
        /// The nanoseconds within the second.
        package let nanoseconds: Int64
    }

    /// The size in bytes.
    package let size: Int64
    package let inode: UInt64
    /// The time of the last change of the content (mtime).
    package let modified: Time
    /// The time of the last change of the content or the inode (ctime). A program can't set it back.
    package let changed: Time
}

extension TransferError {
    /// An error with the current value of `errno`.
    static func system(_ what: String) -> TransferError {
        let number = errno
        return TransferError(.file(errno: number), message: "\(what): \(String(cString: strerror(number)))")
    }
}
