import HTTPServing
import ImageModel

/// A path into a JSON document, in the limited form that Glance takes: `/a/b`, with `~1` for a slash and `~0` for a tilde inside
/// a name (RFC 6901).
struct JSONPointer: Equatable {
    /// The names along the path; never empty, nor is one of them.
    let names: [String]

    /// Reads a pointer.
    /// - Throws: `APIError` 400 saying what is wrong with it.
    init(_ text: String) throws(APIError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw Self.malformed(text, "it does not begin with /") }
        var names: [String] = []
        for part in text.pathSegments.dropFirst() {
            guard !part.allSatisfy(\.isWhitespace) else { throw Self.malformed(text, "a name in it is empty") }
            names.append(try Self.unescape(part, in: text))
        }
        self.names = names
    }

    private static func unescape(_ part: String, in text: String) throws(APIError) -> String {
        var name = String.UnicodeScalarView()
        var rest = part.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                name.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": name.append("~")
            case "1": name.append("/")
            default: throw malformed(text, "after ~ comes 0 or 1")
            }
        }
        return String(name)
    }

    private static func malformed(_ text: String, _ why: String) -> APIError {
        .badRequest("The path \(text.excerpt(64)) is malformed: \(why).")
    }
}
