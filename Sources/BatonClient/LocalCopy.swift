internal import Glibc
public import ImageModel
internal import Integrity

/// What a file at hand says about an image: its size and digests, to register a location with.
public struct LocalCopy: Sendable {
    /// In bytes.
    public let size: Int64
    /// Its sha256, sha512 and md5.
    public let digests: DigestSet

    /// Reads the file once.
    /// - Throws: `ClientError` when it can't be read.
    public init(path: String) throws(ClientError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("\(path) can't be opened") }
        defer { close(descriptor) }
        let sha256 = DigestStream(.sha256)
        let sha512 = DigestStream(.sha512)
        let md5 = DigestStream(.md5)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var size: Int64 = 0
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw .file("\(path) can't be read") }
            if count == 0 { break }
            size += Int64(count)
            buffer.withUnsafeBytes { bytes in
                let read = UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
                sha256.update(read)
                sha512.update(read)
                md5.update(read)
            }
        }
        self.size = size
        digests = DigestSet([sha256.finish(), sha512.finish(), md5.finish()])
    }
}
