import BackendKit
import CurlTransfer
import FoundationEssentials
import Glibc
import ImageModel
import Integrity

/// Signs requests (AWS Signature Version 4), in header fields or in the query of a URL. A value: the time is an argument.
struct RequestSigner {
    static let algorithm = "AWS4-HMAC-SHA256"
    /// The longest lifetime of a presigned URL in seconds: a week.
    static let longestLifetime = 604_800

    let credentials: S3Credentials
    let region: String
    /// The service name: `s3` except in tests.
    var service = "s3"

    /// The header fields to add to a request without a body. `host`, the given fields and the added ones are signed.
    /// - Parameters:
    ///   - path: encoded, with its leading slash.
    ///   - host: the value of the Host field.
    ///   - headers: additional fields that will be sent and are signed; each name once.
    func headers(
        method: String, path: String, host: String, headers: [(name: String, value: String)] = [], at date: Date
    ) -> [(name: String, value: String)] {
        let time = SigningTime(date)
        var added = [
            (name: "x-amz-content-sha256", value: CanonicalRequest.Payload.empty.rawValue),
            (name: "x-amz-date", value: time.stamp),
        ]
        if let token = credentials.sessionToken { added.append((name: "x-amz-security-token", value: token)) }
        let request = CanonicalRequest(
            method: method, path: path, headers: [(name: "host", value: host)] + headers + added, payload: .empty)
        return added + [(name: "Authorization", value: authorization(of: request, at: time))]
    }

    /// The query of a presigned URL, with the given parameters.
    /// - Parameter lifetime: in seconds, 1 to `longestLifetime`.
    func presignedQuery(
        method: String, path: String, host: String, parameters: [(name: String, value: String)], lifetime: Int, at date: Date
    ) -> String {
        let time = SigningTime(date)
        var query = parameters
        query.append((name: "X-Amz-Algorithm", value: Self.algorithm))
        query.append((name: "X-Amz-Credential", value: "\(credentials.accessKey)/\(scope(at: time))"))
        query.append((name: "X-Amz-Date", value: time.stamp))
        query.append((name: "X-Amz-Expires", value: String(lifetime)))
        query.append((name: "X-Amz-SignedHeaders", value: "host"))
        if let token = credentials.sessionToken { query.append((name: "X-Amz-Security-Token", value: token)) }
        let request = CanonicalRequest(
            method: method, path: path, query: query, headers: [(name: "host", value: host)], payload: .unsigned)
        return "\(request.encodedQuery)&X-Amz-Signature=\(signature(of: request, at: time))"
    }

    func authorization(of request: CanonicalRequest, at time: SigningTime) -> String {
        "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(at: time)), SignedHeaders=\(request.signedHeaders), "
            + "Signature=\(signature(of: request, at: time))"
    }

    /// The signed text: time, scope, and digest of the canonical request.
    func stringToSign(for request: CanonicalRequest, at time: SigningTime) -> String {
        [Self.algorithm, time.stamp, scope(at: time), Self.sha256(request.text)].joined(separator: "\n")
    }

    /// The signing key of one day, region and service, derived from the secret key.
    func signingKey(at time: SigningTime) -> [UInt8] {
        [time.day, region, service, "aws4_request"].reduce(Array("AWS4\(credentials.secretKey)".utf8)) { key, word in
            KeyedDigest.compute(.sha256, over: word, key: key)
        }
    }

    private func signature(of request: CanonicalRequest, at time: SigningTime) -> String {
        KeyedDigest.hex(.sha256, over: stringToSign(for: request, at: time), key: signingKey(at: time))
    }

    private func scope(at time: SigningTime) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

    private static func sha256(_ text: String) -> String {
        let stream = DigestStream(.sha256)
        Array(text.utf8).withUnsafeBytes { stream.update($0) }
        return stream.finish().hex
    }
}

/// An access key with its secret, and a session token for temporary credentials.
///
/// Printing, debugging and reflection show the access key only, which is a name.
package struct S3Credentials: Sendable, Undisclosed {
    package let accessKey: String
    let secretKey: String
    let sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    package var description: String { "\(accessKey) (secret)" }
}

/// A time in the notation of signatures: ISO 8601 basic format, in UTC, to the second.
struct SigningTime: Equatable {
    /// The time, for example `20130524T000000Z`.
    let stamp: String

    /// The day, for example `20130524`.
    var day: String { String(stamp.prefix(8)) }

    init(_ date: Date) {
        var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        stamp =
            padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1) + padded(parts.tm_mday) + "T" + padded(parts.tm_hour)
            + padded(parts.tm_min) + padded(parts.tm_sec) + "Z"
    }
}
