import BackendKit

/// A request in the one form that both sides sign (AWS Signature Version 4, "canonical request").
///
/// Its text names the object and may hold a session's token: it goes into no log.
struct CanonicalRequest {
    /// What stands in the place of the body's digest.
    enum Payload: String {
        /// The SHA-256 of no bytes.
        case empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        /// The body is not covered; what presigned URLs say.
        case unsigned = "UNSIGNED-PAYLOAD"
    }

    /// The HTTP method, in upper case.
    let method: String
    /// The path as it goes over the wire, encoded once, with its first slash. It is never normalised: keys are not paths.
    let path: String
    /// The parameters of the query, decoded.
    var query: [(name: String, value: String)] = []
    /// The header fields that are signed; `host` must be among them.
    let headers: [(name: String, value: String)]
    /// The body.
    let payload: Payload

    /// The names of the signed header fields, `host;x-amz-date`.
    var signedHeaders: String { sortedHeaders.map(\.name).joined(separator: ";") }

    /// The query as it goes over the wire: encoded, in the order of the signature.
    var encodedQuery: String {
        query.map { (Self.encode($0.name), Self.encode($0.value)) }
            .sorted { $0.0 == $1.0 ? Self.precedes($0.1, $1.1) : Self.precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The whole text.
    var text: String {
        let fields = sortedHeaders.map { "\($0.name):\($0.value)\n" }.joined()
        return [method, path, encodedQuery, fields, signedHeaders, payload.rawValue].joined(separator: "\n")
    }

    private var sortedHeaders: [(name: String, value: String)] {
        headers.map { ($0.name.lowercased(), Self.trimmed($0.value)) }.sorted { Self.precedes($0.name, $1.name) }
    }

    /// No blanks at the ends, and one where there were several.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    /// By bytes: Swift's own order of strings is another one.
    private static func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

    /// In a query the slash is escaped as well.
    private static func encode(_ text: String) -> String {
        LocationURL.encode(path: text).split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
    }
}
