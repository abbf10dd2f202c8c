package import CurlTransfer
import ImageModel

/// What the `Content-Encoding` of an answer says of its bytes (RFC 9110 section 8.4): a list, over any number of fields.
///
/// Nothing is ever decoded, and no request asks for a coding. So a server that names one stored the object like that, or repeats what
/// an upload once said: `aws-chunked` is how clients of S3 send, and some stores return it. Bytes with the label of gzip are taken as
/// they are; what was declared of the object decides whether they are the right ones.
package struct ContentCoding: Sendable, Hashable {
    /// The first label of gzip; nil if there is none.
    package let label: String?
    /// The first coding of any other kind; nil if there is none.
    package let unknown: String?

    /// The codings of an answer.
    package init(_ head: ResponseHead) {
        let names = head.fields.filter { $0.name == "content-encoding" }.flatMap { field in
            field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        }
        label = names.first { Self.labels.contains($0) }
        unknown = names.first { !$0.isEmpty && !Self.plain.contains($0) && !Self.labels.contains($0) }
    }

    /// Says nothing about the bytes of the body.
    private static let plain: Set = ["identity", "aws-chunked"]
    private static let labels: Set = ["gzip", "x-gzip"]

    /// Why the bytes are of no use; nil if they are.
    var failure: AttemptFailure? {
        unknown.map {
            AttemptFailure(.encoded, .location, detail: "the answer is encoded (Content-Encoding: \($0.excerpt(32)))")
        }
    }
}
