import BackendKit
import CurlTransfer
import ImageModel
import Integrity

/// Signs URLs that grant access to one object for a while (Swift's middleware TempURL). A value: the time is an argument.
package struct TempURLSigner: Sendable, Undisclosed {
    /// The digest of the signature. Swift accepts all of them by default, radosgw 16 only SHA-1.
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

    /// Creates a signer with a `Temp-URL-Key` of the account or the container.
    package init(key: String, algorithm: Algorithm = .sha256) {
        self.key = Array(key.utf8)
        self.algorithm = algorithm
    }

    /// The query that grants GET (and HEAD) on a path.
    /// - Parameters:
    ///   - path: decoded, from the store's root on, as the store compares it.
    ///   - end: the expiry, in seconds since 1970.
    func query(path: String, end: Int64) -> String {
        let signature = KeyedDigest.hex(algorithm.digest, over: "GET\n\(end)\n\(path)", key: key)
        return "temp_url_sig=\(signature)&temp_url_expires=\(end)"
    }
}
