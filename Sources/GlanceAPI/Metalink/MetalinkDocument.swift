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
