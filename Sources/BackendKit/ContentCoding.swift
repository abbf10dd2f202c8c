package import CurlTransfer
import ImageModel

/// The `Content-Encoding` of a response (RFC 9110 section 8.4): a list over any number of fields.
///
/// Baton decodes nothing and requests no coding. A server that names one therefore stored the object in that coding, or repeats
/// an upload's header: S3 clients send `aws-chunked`, and some stores return it. Bytes labelled gzip are taken as they are; the
/// declared digest decides whether they are right.
package struct ContentCoding: Sendable, Hashable {
    /// The first gzip label; nil if there is none.
    package let label: String?
    /// The first coding of any other kind; nil if there is none.
    package let unknown: String?

    /// Reads the codings of a response.
    package init(_ head: ResponseHead) {
        let names = head.fields.filter { $0.name == "content-encoding" }.flatMap { field in
            field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        }
        label = names.first { Self.labels.contains($0) }
        unknown = names.first { !$0.isEmpty && !Self.plain.contains($0) && !Self.labels.contains($0) }
    }

    /// Codings that say nothing about the bytes of the body.
    private static let plain: Set = ["identity", "aws-chunked"]
    private static let labels: Set = ["gzip", "x-gzip"]

    /// The failure if the bytes can't be used; nil if they can.
    var failure: AttemptFailure? {
        unknown.map {
            AttemptFailure(.encoded, .location, detail: "the answer is encoded (Content-Encoding: \($0.excerpt(32)))")
        }
    }
}
