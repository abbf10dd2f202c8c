import Glibc
package import ImageModel
import Integrity

/// The file that a download grows in, under a name that can't be mistaken for the image's. The name contains the content's
/// digest, so the file holds bytes of one content only.
///
/// `@unchecked Sendable`: one thread uses it at a time: the download's task, and during a fetch the transfer loop's thread.
final class PartialFile: DownloadSink, @unchecked Sendable {
    let target: DownloadTarget
    let path: String
    private let finalPath: String
    private let descriptor: Int32
    private var digest: DigestStream
    private(set) var size: Int64 = 0

    var offset: Int64 { size }

    /// Opens the partial file of an earlier try, or a new one, and digests the existing bytes.
    /// - Parameter onProgress: called while the existing bytes are read.
    init(
        for finalPath: String, of target: DownloadTarget, onProgress: (Download.Progress) -> Void = { _ in }
    ) throws(ClientError) {
        self.target = target
        self.finalPath = finalPath
        path = Self.path(for: finalPath, of: target.digest)
        digest = DigestStream(target.digest.algorithm)
        var descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        let isNew = descriptor < 0 && errno == ENOENT
        if isNew { descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644) }
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw .file("\(path) can't be opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw ClientError(.file, "\(path) is in use by another download: wait for it, or give another file with --output.")
        }
        do {
            try takeIn(upTo: target.isResumable ? target.size : 0, onProgress)
            try FreeSpace.require(target.size - size, inFileSystemOf: descriptor, of: path)
        } catch {
            if isNew { unlink(path) }
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The partial file's path, beside the final file. The name is shortened if it would exceed the file system's limit.
    private static func path(for finalPath: String, of digest: Digest) -> String {
        let ending = ".\(digest.hex.prefix(16)).part"
        let start = finalPath.lastSlash.map { finalPath.utf8.index(after: $0) } ?? finalPath.startIndex
        var name = finalPath[start...]
        while name.utf8.count + ending.utf8.count > 255 { name.removeLast() }
        return finalPath[..<start] + name + ending
    }

    private func takeIn(upTo limit: Int64, _ onProgress: (Download.Progress) -> Void) throws(ClientError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file("\(path) can't be examined") }
        guard Int64(status.st_size) <= limit else { return try restart() }
        try DescriptorIO.readToEnd(descriptor, named: path) { bytes in
            digest.update(bytes)
            size += Int64(bytes.count)
            onProgress(Download.Progress(done: size, total: Int64(status.st_size)))
        }
    }

    /// Empties the file.
    func restart() throws(ClientError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw .file("\(path) can't be emptied")
        }
        digest.start()
        size = 0
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError) {
        if let error = DescriptorIO.write(bytes, to: descriptor) {
            errno = error
            throw .file("\(path) can't be written")
        }
        digest.update(bytes)
        size += Int64(bytes.count)
    }

    /// Renames the file to its final name if the digest matches; removes it otherwise.
    func complete() throws(ClientError) {
        let computed = digest.finish()
        guard size == target.size, computed == target.digest else {
            unlink(path)
            throw .mismatch(computed, of: target, "It was removed; try again.")
        }
        // The new file inherits the permissions of the file that it replaces.
        var status = stat()
        if stat(finalPath, &status) == 0 { _ = fchmod(descriptor, status.st_mode & 0o777) }
        guard fsync(descriptor) == 0 else { throw .file("\(path) can't be flushed to disk") }
        guard rename(path, finalPath) == 0 else { throw .file("\(path) can't be renamed to \(finalPath)") }
    }
}

extension ClientError {
    static func file(_ what: String) -> ClientError {
        let number = errno
        let remedy = number == ENOSPC || number == EDQUOT ? ": free some space and try again; the downloaded part is kept" : ""
        return ClientError(.file, "\(what): \(String(cString: strerror(number)))\(remedy).")
    }
}

/// The check that a download fits, before it begins.
enum FreeSpace {
    /// Throws if the space is too small.
    /// - Parameters:
    ///   - needed: bytes still to be written.
    ///   - available: bytes of free space.
    ///   - destination: what the error names as too small.
    static func require(_ needed: Int64, of available: Int64, on destination: String) throws(ClientError) {
        guard needed > available else { return }
        throw ClientError(
            .file,
            "\(destination) has room for \(ProgressLine.bytes(available)), and \(ProgressLine.bytes(needed)) are needed: "
                + "free some space, or give another path with --output.")
    }

    /// Checks the file system of an open file. A file system that does not state its size passes.
    static func require(_ needed: Int64, inFileSystemOf descriptor: Int32, of path: String) throws(ClientError) {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0, status.f_blocks > 0 else { return }
        let blocks = geteuid() == 0 ? status.f_bfree : status.f_bavail
        let (bytes, overflows) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        try require(needed, of: overflows ? .max : Int64(clamping: bytes), on: "The file system of \(path)")
    }
}

/// The size and the digests of a local file, to register a location with.
package struct LocalCopy: Sendable {
    /// The size in bytes.
    package let size: Int64
    /// The sha256, sha512 and md5.
    package let digests: DigestSet

    /// Reads the file once.
    /// - Parameter onProgress: called after each mebibyte.
    /// - Throws: `ClientError` when it can't be read.
    package init(path: String, onProgress: (Download.Progress) -> Void = { _ in }) throws(ClientError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("\(path) can't be opened") }
        defer { close(descriptor) }
        let sha256 = DigestStream(.sha256)
        let sha512 = DigestStream(.sha512)
        let md5 = DigestStream(.md5)
        var status = stat()
        let total = fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
        var size: Int64 = 0
        try DescriptorIO.readToEnd(descriptor, named: path) { bytes in
            sha256.update(bytes)
            sha512.update(bytes)
            md5.update(bytes)
            size += Int64(bytes.count)
            onProgress(Download.Progress(done: size, total: max(size, total)))
        }
        self.size = size
        digests = DigestSet([sha256.finish(), sha512.finish(), md5.finish()])
    }
}
