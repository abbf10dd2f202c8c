internal import Glibc
internal import ImageModel
internal import Integrity

/// The file that a download grows in, under a name that no one takes for the image. It holds bytes of one content only: the
/// content's digest is part of the name.
///
/// `@unchecked Sendable`: used by one party at a time, first the task that prepares it, then the transfer loop's thread.
final class PartialFile: @unchecked Sendable {
    let path: String
    private let finalPath: String
    private let descriptor: Int32
    private var digest: DigestStream
    private(set) var size: Int64 = 0
    /// Whether what was there has been dropped since it was opened.
    private(set) var isRestarted = false

    /// Opens the partial file of an earlier try, or a new one, and takes what is there into the digest.
    init(for finalPath: String, of target: DownloadTarget) throws(ClientError) {
        self.finalPath = finalPath
        path = "\(finalPath).\(target.digest.hex.prefix(16)).part"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        digest = DigestStream(target.digest.algorithm)
        guard descriptor >= 0 else { throw .file("\(path) can't be opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw ClientError(.file, "\(path) is in use by another download: wait for it, or give another file with --output.")
        }
        try takeIn(upTo: target.isResumable ? target.size : 0)
    }

    deinit { close(descriptor) }

    private func takeIn(upTo limit: Int64) throws(ClientError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file("\(path) can't be examined") }
        guard Int64(status.st_size) <= limit else { return try restart() }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw .file("\(path) can't be read") }
            if count == 0 { break }
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            size += Int64(count)
        }
    }

    /// Drops everything.
    func restart() throws(ClientError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw .file("\(path) can't be emptied")
        }
        digest.start()
        size = 0
        isRestarted = true
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file("\(path) can't be written") }
            digest.update(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            size += Int64(count)
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the file its final name if it is right, and removes it if it is wrong.
    func complete(as target: DownloadTarget) throws(ClientError) {
        let computed = digest.finish()
        guard size == target.size, computed == target.digest else {
            unlink(path)
            throw ClientError(
                .corrupt,
                "What was downloaded is not the image: its digest is \(computed), not \(target.digest). It was removed; try again."
            )
        }
        guard fsync(descriptor) == 0 else { throw .file("\(path) can't be brought to disk") }
        guard rename(path, finalPath) == 0 else { throw .file("\(path) can't be renamed to \(finalPath)") }
    }
}

extension ClientError {
    static func file(_ what: String) -> ClientError {
        let number = errno
        let remedy = number == ENOSPC ? ": make room and try again, what is there is kept" : ""
        return ClientError(.file, "\(what): \(String(cString: strerror(number)))\(remedy).")
    }
}
