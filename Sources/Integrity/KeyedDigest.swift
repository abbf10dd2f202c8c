import CCrypto
package import ImageModel

/// Message authentication codes (HMAC, RFC 2104).
package enum KeyedDigest {
    /// Computes the code of a message.
    /// - Parameters:
    ///   - algorithm: the underlying digest.
    ///   - key: a key of any length; not kept.
    /// - Returns: `algorithm.byteCount` bytes.
    package static func compute(_ algorithm: DigestAlgorithm, over message: String, key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: algorithm.byteCount)
        let bytes = Array(message.utf8)
        let result = HMAC(implementation(of: algorithm), key, Int32(key.count), bytes, bytes.count, &code, nil)
        precondition(result != nil, "this OpenSSL does not offer HMAC with \(algorithm)")
        return code
    }

    /// The code of a message as lower-case hexadecimal text.
    package static func hex(_ algorithm: DigestAlgorithm, over message: String, key: [UInt8]) -> String {
        compute(algorithm, over: message, key: key)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func implementation(of algorithm: DigestAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .sha256: EVP_sha256()
        case .sha512: EVP_sha512()
        case .sha1: EVP_sha1()
        case .md5: EVP_md5()
        }
    }
}
