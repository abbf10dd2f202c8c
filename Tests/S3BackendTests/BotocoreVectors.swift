import BackendKit
import CurlTransfer
import Foundation
import ImageModel
import Testing

@testable import S3Backend

/// What botocore signs for a few hundred keys, as make-vectors.py recorded it.
@Suite struct BotocoreVectors {
    struct Vector: Decodable {
        let scheme, authority, style, bucket, key, region, access, secret: String
        let token: String?
        let time: Double
        let first, last: Int64?
        let lifetime: Int
        let url, date, authorization, presigned: String

        var driver: S3Driver {
            get throws {
                let endpoint = try S3Endpoint(
                    address: LocationURL("\(scheme)://\(authority)"), bucket: bucket,
                    style: try #require(S3Endpoint.Style(rawValue: style)))
                let credentials = S3Credentials(accessKey: access, secretKey: secret, sessionToken: token)
                let time = time
                return S3Driver(
                    endpoint: endpoint, region: region, credentials: credentials, connectTimeout: .seconds(1),
                    now: { Date(timeIntervalSince1970: time) })
            }
        }

        var read: ReadRequest {
            guard let first, let last else { return ReadRequest(path: key, range: nil) }
            return ReadRequest(path: key, range: ByteRange(first: first, last: last))
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

    @Test("Every read is signed as botocore signs it")
    func everyReadIsSignedAsBotocoreSignsIt() throws {
        let vectors = try Self.vectors
        #expect(vectors.count > 250)
        for vector in vectors {
            let request = try vector.driver.transferRequest(for: vector.read)
            guard case .url(let url) = request.source else { continue }
            let headers = Dictionary(request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
            #expect(url == vector.url)
            #expect(headers["Authorization"] == vector.authorization, "\(vector.key.debugDescription)")
            #expect(headers["x-amz-date"] == vector.date)
            #expect(headers["x-amz-security-token"] == vector.token)
            #expect(request.range?.lowerBound == vector.first && request.range?.upperBound == vector.last)
        }
    }

    @Test("Every direct URL equals the one that botocore makes")
    func everyDirectURLEqualsBotocores() throws {
        for vector in try Self.vectors {
            let url = try #require(try vector.driver.directURL(for: vector.key, lifetime: .seconds(vector.lifetime)))
            // The order of the parameters is free: the signature sorts them.
            #expect(Self.parts(url) == Self.parts(vector.presigned), "\(vector.key.debugDescription)")
        }
    }

    private static func parts(_ url: String) -> [String] {
        let halves = url.split(separator: "?", maxSplits: 1)
        return [String(halves[0])] + halves[1].split(separator: "&").map(String.init).sorted()
    }
}
