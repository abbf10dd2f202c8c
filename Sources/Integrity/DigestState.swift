import CCrypto
import ImageModel

/// The running state of one digest, in OpenSSL's low-level structures.
enum DigestState: Sendable {
    case sha256(SHA256_CTX)
    case sha512(SHA512_CTX)
    case sha1(SHA_CTX)
    case md5(MD5_CTX)

    init(_ algorithm: DigestAlgorithm) {
        switch algorithm {
        case .sha256:
            var context = SHA256_CTX()
            SHA256_Init(&context)
            self = .sha256(context)
        case .sha512:
            var context = SHA512_CTX()
            SHA512_Init(&context)
            self = .sha512(context)
        case .sha1:
            var context = SHA_CTX()
            SHA1_Init(&context)
            self = .sha1(context)
        case .md5:
            var context = MD5_CTX()
            MD5_Init(&context)
            self = .md5(context)
        }
    }

    var algorithm: DigestAlgorithm {
        switch self {
        case .sha256: .sha256
        case .sha512: .sha512
        case .sha1: .sha1
        case .md5: .md5
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .sha256(var context):
            SHA256_Update(&context, bytes.baseAddress, bytes.count)
            self = .sha256(context)
        case .sha512(var context):
            SHA512_Update(&context, bytes.baseAddress, bytes.count)
            self = .sha512(context)
        case .sha1(var context):
            SHA1_Update(&context, bytes.baseAddress, bytes.count)
            self = .sha1(context)
        case .md5(var context):
            MD5_Update(&context, bytes.baseAddress, bytes.count)
            self = .md5(context)
        }
    }

    func finished() -> Digest {
        var bytes = [UInt8](repeating: 0, count: algorithm.byteCount)
        switch self {
        case .sha256(var context): SHA256_Final(&bytes, &context)
        case .sha512(var context): SHA512_Final(&bytes, &context)
        case .sha1(var context): SHA1_Final(&bytes, &context)
        case .md5(var context): MD5_Final(&bytes, &context)
        }
        guard let digest = try? Digest(algorithm, bytes: bytes) else {
            preconditionFailure("OpenSSL returned a \(algorithm) digest of an unexpected length")
        }
        return digest
    }

    /// The memory of the structure.
    var bytes: [UInt8] {
        switch self {
        case .sha256(let context): withUnsafeBytes(of: context) { Array($0) }
        case .sha512(let context): withUnsafeBytes(of: context) { Array($0) }
        case .sha1(let context): withUnsafeBytes(of: context) { Array($0) }
        case .md5(let context): withUnsafeBytes(of: context) { Array($0) }
        }
    }

    /// Restores a state from such memory; nil if its size is not the structure's.
    init?(_ algorithm: DigestAlgorithm, bytes: [UInt8]) {
        switch algorithm {
        case .sha256:
            guard let context = SHA256_CTX(memory: bytes, pending: \.num, block: 64) else { return nil }
            self = .sha256(context)
        case .sha512:
            guard let context = SHA512_CTX(memory: bytes, pending: \.num, block: 128) else { return nil }
            self = .sha512(context)
        case .sha1:
            guard let context = SHA_CTX(memory: bytes, pending: \.num, block: 64) else { return nil }
            self = .sha1(context)
        case .md5:
            guard let context = MD5_CTX(memory: bytes, pending: \.num, block: 64) else { return nil }
            self = .md5(context)
        }
    }
}

/// OpenSSL's low-level structures: plain memory without pointers, all zero before initialization.
private protocol PlainContext {
    init()
}

extension SHA256_CTX: PlainContext {}
extension SHA512_CTX: PlainContext {}
extension SHA_CTX: PlainContext {}
extension MD5_CTX: PlainContext {}

extension PlainContext {
    /// Restores a structure from its memory.
    /// - Parameters:
    ///   - pending: the number of bytes buffered in the structure's block. A value that exceeds the block would make OpenSSL
    ///     write beyond it.
    ///   - block: the size of that block in bytes.
    fileprivate init?(memory: [UInt8], pending: KeyPath<Self, UInt32>, block: UInt32) {
        guard memory.count == MemoryLayout<Self>.size else { return nil }
        self.init()
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: memory) }
        guard self[keyPath: pending] < block else { return nil }
    }
}
