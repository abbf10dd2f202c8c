import BackendKit
import ImageModel
import Integrity

/// Signs URLs that let whoever has one read one object for a while (Swift's middleware TempURL). A value: the time is an argument.
package struct TempURLSigner: Sendable, Undisclosed {
    /// The digests that a signature can be built on. Swift takes all of them unless told otherwise, radosgw 16 SHA-1 alone.
    package enum Algorithm: String, Sendable, CaseIterable {
        case sha1, sha256, sha512

        var digest: DigestAlgorithm {
            switch self {
            case .sha1: .sha1
            case .sha256: .sha256
            case .sha512: .sha512
            }
        }
    }

    private let key: [UInt8]
    private let algorithm: Algorithm

    /// A signer with a key that the account or the container has as its `Temp-URL-Key`.
    package init(key: String, algorithm: Algorithm = .sha256) {
        self.key = Array(key.utf8)
        self.algorithm = algorithm
    }

    /// The query that opens a path for GET (and so for HEAD).
    /// - Parameters:
    ///   - path: decoded, from the store's root on: that is what the store compares with.
    ///   - end: the last moment that it is good at, in seconds since 1970.
    func query(path: String, end: Int64) -> String {
        let signature = KeyedDigest.hex(algorithm.digest, over: "GET\n\(end)\n\(path)", key: key)
        return "temp_url_sig=\(signature)&temp_url_expires=\(end)"
    }
}
