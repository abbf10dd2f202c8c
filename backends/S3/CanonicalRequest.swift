import BackendKit

/// The canonical form of a request, which client and server sign (AWS Signature Version 4, "canonical request").
///
/// Its text names the object and may contain a session token, so it must not be logged.
struct CanonicalRequest {
    /// The value in place of the body's digest.
    enum Payload: String {
        /// The SHA-256 of an empty body.
        case empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        /// The value of presigned URLs, which do not cover the body.
        case unsigned = "UNSIGNED-PAYLOAD"
    }

    /// The HTTP method in upper case.
    let method: String
    /// The path for the wire, encoded once, with its leading slash. It is never normalized, since keys are not paths.
    let path: String
    /// The query parameters, decoded.
    var query: [(name: String, value: String)] = []
    /// The signed header fields, which must include `host`.
    let headers: [(name: String, value: String)]
    let payload: Payload

    /// The names of the signed header fields, for example `host;x-amz-date`.
    var signedHeaders: String { sortedHeaders.map(\.name).joined(separator: ";") }

    /// The query for the wire, encoded and in the order of the signature.
    var encodedQuery: String {
        query.map { (Self.encode($0.name), Self.encode($0.value)) }
            .sorted { $0.0 == $1.0 ? Self.precedes($0.1, $1.1) : Self.precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The complete canonical text.
    var text: String {
        let fields = sortedHeaders.map { "\($0.name):\($0.value)\n" }.joined()
        return [method, path, encodedQuery, fields, signedHeaders, payload.rawValue].joined(separator: "\n")
    }

    private var sortedHeaders: [(name: String, value: String)] {
        headers.map { ($0.name.lowercased(), Self.trimmed($0.value)) }.sorted { Self.precedes($0.name, $1.name) }
    }

    /// Removes surrounding blanks and collapses runs of blanks.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    /// Compares bytes, because Swift's strings have a different order.
    private static func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

    /// Encodes a query component, including slashes.
    private static func encode(_ text: String) -> String {
        LocationURL.encode(path: text).split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
    }
}
