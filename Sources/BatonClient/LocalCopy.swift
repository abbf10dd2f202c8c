import Glibc
package import ImageModel
import Integrity

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
