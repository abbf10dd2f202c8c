import FoundationEssentials
import ImageModel

/// A Metalink 4 document (RFC 5854) of one file: where it can be downloaded, and what verifies it, whole and in pieces.
///
/// The digests of the pieces are its bulk (a million of them for 1 TiB) and are not kept: it is written as `head`, the
/// `pieces(of:)` of each page of the manifest, and `tail`, and knows its length before that.
struct MetalinkDocument: Sendable, Equatable {
    /// The document's media type.
    static let mediaType = "application/metalink4+xml"

    /// What the file is called on a client's disk.
    let name: String
    /// In bytes.
    let size: Int64
    /// The digests of the whole.
    let digests: [Digest]
    /// Where it can be read, the best first; at least one.
    let urls: [String]
    /// When it was first there to be described.
    let published: Date
    /// How it is cut into pieces; nil if their digests are not known.
    let layout: ChunkLayout?

    /// Everything in front of the pieces' digests.
    var head: String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <metalink xmlns="urn:ietf:params:xml:ns:metalink">
            <generator>Baton</generator>
            <published>\(published.formatted(.iso8601))</published>
            <file name="\(XMLText.escape(name))">
            <size>\(size)</size>

            """
        for digest in digests { text += "<hash type=\"\(digest.algorithm.metalinkName)\">\(digest.hex)</hash>\n" }
        for (index, url) in urls.enumerated() {
            text += "<url priority=\"\(index + 1)\">\(XMLText.escape(url))</url>\n"
        }
        if let layout { text += "<pieces length=\"\(layout.chunkSize)\" type=\"\(layout.algorithm.metalinkName)\">\n" }
        return text
    }

    /// The digests of a page's pieces.
    /// - Parameter page: as the manifest has them, one behind the other.
    func pieces(of page: [UInt8]) -> [UInt8] {
        guard let layout else { return [] }
        let length = layout.algorithm.byteCount
        var text: [UInt8] = []
        text.reserveCapacity(page.count / length * Self.pieceLength(layout))
        for start in stride(from: 0, to: page.count, by: length) {
            text += Self.opening
            for byte in page[start..<start + length] {
                text.append(Self.digits[Int(byte >> 4)])
                text.append(Self.digits[Int(byte & 15)])
            }
            text += Self.closing
        }
        return text
    }

    /// Everything behind the pieces' digests.
    var tail: String { (layout == nil ? "" : "</pieces>\n") + "</file>\n</metalink>\n" }

    /// The length of the whole document, in bytes.
    var length: Int {
        head.utf8.count + tail.utf8.count + (layout.map { $0.count * Self.pieceLength($0) } ?? 0)
    }

    private static let opening = Array("<hash>".utf8)
    private static let closing = Array("</hash>\n".utf8)
    private static let digits = Array("0123456789abcdef".utf8)

    private static func pieceLength(_ layout: ChunkLayout) -> Int {
        opening.count + 2 * layout.algorithm.byteCount + closing.count
    }
}

extension DigestAlgorithm {
    /// Its name in Metalink documents: IANA's of hash functions.
    fileprivate var metalinkName: String {
        switch self {
        case .sha256: "sha-256"
        case .sha512: "sha-512"
        case .sha1: "sha-1"
        case .md5: "md5"
        }
    }
}

/// The name that a file of an image gets on a client's disk.
enum FileName {
    /// The most bytes of a name: file systems take 255, and clients put something behind it while they download.
    private static let limit = 200

    /// The image's name as far as it can be one of a file; else its id. Another representation than the image's own, and a file named by
    /// its id, end in the format.
    static func of(_ representation: Representation, image: Image) -> String {
        let safe = safe(image.name ?? "")
        if representation.format == image.format, let safe { return safe }
        return "\(safe ?? image.id.description).\(representation.format.disk.rawValue)"
    }

    /// The text without what leads elsewhere (RFC 5854 section 4.1.2.1), can't be seen, or is no part of names on some system; nil if
    /// nothing is left.
    static func safe(_ text: String) -> String? {
        var scalars = String.UnicodeScalarView(text.unicodeScalars.map { isSafe($0) ? $0 : "_" })[...]
        // Nothing that is hidden, a way up, or an option of a command; by scalars, since a dot with an accent is another character.
        scalars = scalars.drop { [".", " ", "-", "~"].contains($0) }
        var name = Substring(scalars)
        while name.utf8.count > limit { name.removeLast() }
        while let last = name.unicodeScalars.last, last == "." || last == " " { name.unicodeScalars.removeLast() }
        return name.isEmpty ? nil : String(name)
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: !"/\\:*?\"<>|".unicodeScalars.contains(scalar)
        }
    }
}

/// Text on its way into a document of XML 1.0.
enum XMLText {
    /// The text with everything escaped that would mean something, in an element as in an attribute in double quotes. What no document
    /// may hold, escaped or not (section 2.2: most control characters), becomes U+FFFD.
    static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
            case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
            // Only behind "]]" must it be escaped; always is simpler to be sure of.
            case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
            case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
            // As such a reader would turn them into blanks or into each other.
            case "\t", "\n", "\r": escaped.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": escaped.append("\u{FFFD}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
