import FoundationEssentials
import ImageModel

/// A Metalink 4 document (RFC 5854) for one file: its URLs, and the digests of the whole file and of its pieces.
///
/// The digests of the pieces make up most of it (a million of them for 1 TiB), so they are not kept in memory. The document is
/// written as `head`, then `pieces(of:)` for each page of the manifest, then `tail`. Its length is known in advance.
struct MetalinkDocument: Sendable, Equatable {
    /// The document's media type.
    static let mediaType = "application/metalink4+xml"

    /// The name of the file on the client's disk.
    let name: String
    /// In bytes.
    let size: Int64
    /// The digests of the whole file.
    let digests: [Digest]
    /// The URLs of the file, the best first; at least one.
    let urls: [String]
    /// When the image was created.
    let published: Date
    /// The layout of the pieces; nil if their digests are unknown.
    let layout: ChunkLayout?

    /// The document up to the digests of the pieces.
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

    /// The digests of the pieces on one page.
    /// - Parameter page: the concatenated digests, as in the manifest.
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

    /// The document after the digests of the pieces.
    var tail: String { (layout == nil ? "" : "</pieces>\n") + "</file>\n</metalink>\n" }

    /// The length of the document, in bytes.
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
    /// The algorithm's name in Metalink documents, from IANA's registry of hash function names.
    fileprivate var metalinkName: String {
        switch self {
        case .sha256: "sha-256"
        case .sha512: "sha-512"
        case .sha1: "sha-1"
        case .md5: "md5"
        }
    }
}

/// The name of an image's file on a client's disk.
enum FileName {
    /// The most bytes of a name. File systems allow 255, and clients append a suffix while they download.
    private static let limit = 200

    /// The image's name, made safe, or else its id. The name ends with the format if it is the id, or if the representation is
    /// not the image's own.
    static func of(_ representation: Representation, image: Image) -> String {
        let safe = safe(image.name ?? "")
        if representation.format == image.format, let safe { return safe }
        return "\(safe ?? image.id.description).\(representation.format.disk.rawValue)"
    }

    /// The text without characters that change the path (RFC 5854 section 4.1.2.1), are invisible, or are not allowed in names
    /// on some system; nil if nothing is left.
    static func safe(_ text: String) -> String? {
        var scalars = String.UnicodeScalarView(text.unicodeScalars.map { isSafe($0) ? $0 : "_" })[...]
        // A leading dot hides a file or names a parent, a hyphen begins an option, and a tilde is expanded. By scalars, because
        // a dot with a combining accent is a different character.
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

/// Escapes text for XML 1.0.
enum XMLText {
    /// The escaped text, for an element or for an attribute in double quotes. Characters that no document may contain (section
    /// 2.2: most control characters) become U+FFFD.
    static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
            case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
            // Required only after "]]", but escaped everywhere for simplicity.
            case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
            case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
            // Unescaped, a parser would normalize these to spaces or line feeds.
            case "\t", "\n", "\r": escaped.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": escaped.append("\u{FFFD}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
