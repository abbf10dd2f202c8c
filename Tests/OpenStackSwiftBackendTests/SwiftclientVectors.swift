import BackendKit
import CurlTransfer
import Foundation
import Testing

@testable import OpenStackSwiftBackend

/// What python-swiftclient requests and signs for a few hundred keys, as make-vectors.py recorded it.
@Suite struct SwiftclientVectors {
    struct Vector: Decodable {
        let account, container, key, secret, digest, url, direct: String
        let end: Int64

        var driver: OpenStackSwiftDriver {
            get throws {
                let signer = TempURLSigner(key: secret, algorithm: try #require(TempURLSigner.Algorithm(rawValue: digest)))
                let now = Date(timeIntervalSince1970: Double(end) - 60)
                return OpenStackSwiftDriver(
                    container: try OpenStackSwiftContainer(container), account: try LocationURL(account), credentials: nil,
                    signer: signer, connectTimeout: .seconds(1), now: { now })
            }
        }
    }

    /// The vectors whose keys Baton accepts: a path with a segment `.` or `..` may be normalized to another key on the way.
    static var vectors: [Vector] {
        get throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors.json")
            return try JSONDecoder().decode([Vector].self, from: Data(contentsOf: file)).filter { vector in
                !vector.key.split(separator: "/").contains { $0 == "." || $0 == ".." }
            }
        }
    }

    @Test("Every key is requested as python-swiftclient requests it")
    func everyKeyIsRequestedAsSwiftclientRequestsIt() throws {
        let vectors = try Self.vectors
        #expect(vectors.count > 250)
        for vector in vectors {
            let request = try vector.driver.transferRequest(for: ReadRequest(path: vector.key, range: nil))
            guard case .url(let url) = request.source else { continue }
            #expect(url == vector.url, "\(vector.key.debugDescription)")
        }
    }

    @Test("Every direct URL equals the one that python-swiftclient makes")
    func everyDirectURLEqualsSwiftclients() throws {
        for vector in try Self.vectors {
            let url = try vector.driver.directURL(for: vector.key, lifetime: .seconds(60))
            #expect(url == vector.direct, "\(vector.key.debugDescription)")
        }
    }
}
