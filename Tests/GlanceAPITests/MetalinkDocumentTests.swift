import Foundation
import ImageModel
import Integrity
import Testing

@testable import GlanceAPI

/// The document as a value: its content and its length.
@Suite struct MetalinkDocumentTests {
    private static func document(
        name: String = "disk.raw", urls: [String] = ["http://a/x"], layout: ChunkLayout? = nil
    ) throws -> MetalinkDocument {
        MetalinkDocument(
            name: name, size: layout?.size ?? 7,
            digests: [
                try Digest(.sha256, hex: String(repeating: "5a", count: 32)),
                try Digest(.sha512, hex: String(repeating: "6b", count: 64)),
                try Digest(.sha1, hex: String(repeating: "7c", count: 20)),
                try Digest(.md5, hex: String(repeating: "8d", count: 16)),
            ], urls: urls, published: Date(timeIntervalSince1970: 1_000_000_000), layout: layout)
    }

    @Test("A file is described by its size, its digests and its URLs")
    func aFileIsDescribedBySizeDigestsAndURLs() throws {
        let document = try Self.document(urls: ["https://b/k?a=1&b=2", "http://a/x"])
        #expect(
            document.head + document.tail == """
                <?xml version="1.0" encoding="UTF-8"?>
                <metalink xmlns="urn:ietf:params:xml:ns:metalink">
                <generator>Baton</generator>
                <published>2001-09-09T01:46:40Z</published>
                <file name="disk.raw">
                <size>7</size>
                <hash type="sha-256">\(String(repeating: "5a", count: 32))</hash>
                <hash type="sha-512">\(String(repeating: "6b", count: 64))</hash>
                <hash type="sha-1">\(String(repeating: "7c", count: 20))</hash>
                <hash type="md5">\(String(repeating: "8d", count: 16))</hash>
                <url priority="1">https://b/k?a=1&amp;b=2</url>
                <url priority="2">http://a/x</url>
                </file>
                </metalink>

                """)
    }

    @Test("The digests of the pieces are in order")
    func theDigestsOfThePiecesAreInOrder() throws {
        let layout = try #require(ChunkLayout(size: 25, chunkSize: 10))
        let manifest = try #require(
            Manifest(layout: layout, digests: (0..<3).flatMap { [UInt8](repeating: 0xA0 + $0, count: 32) }))
        let document = try Self.document(layout: layout)
        #expect(document.head.hasSuffix("<pieces length=\"10\" type=\"sha-256\">\n"))
        let pieces = ["a0", "a1", "a2"].map { "<hash>\(String(repeating: $0, count: 32))</hash>\n" }
        #expect(manifest.pages.map { String(decoding: document.pieces(of: $0.digests), as: UTF8.self) } == [pieces.joined()])
        #expect(document.tail.hasPrefix("</pieces>\n</file>"))
    }

    @Test(
        "The length is known before any manifest page is read", arguments: [1, 9, 10, 11, 10_240, 10_241, 25_000] as [Int64],
        [DigestAlgorithm.sha256, .sha512])
    func theLengthIsKnownBeforeAnyPageIsRead(size: Int64, algorithm: DigestAlgorithm) throws {
        let layout = try #require(ChunkLayout(size: size, chunkSize: 10, algorithm: algorithm))
        let digests = [UInt8](repeating: 7, count: layout.count * algorithm.byteCount)
        let manifest = try #require(Manifest(layout: layout, digests: digests))
        let document = try Self.document(name: "ä&<\u{1}", layout: layout)
        let pieces = manifest.pages.reduce(0) { $0 + document.pieces(of: $1.digests).count }
        #expect(document.length == document.head.utf8.count + pieces + document.tail.utf8.count)
    }

    @Test(
        "Characters with a meaning in XML are escaped",
        arguments: [
            ("plain ä 𝄞", "plain ä 𝄞"), ("a&b<c>\"d\"'e'", "a&amp;b&lt;c&gt;&quot;d&quot;&#39;e&#39;"), ("]]>", "]]&gt;"),
            ("a\tb\r\nc", "a&#9;b&#13;&#10;c"),
            ("\u{0}\u{1}\u{1F}\u{FFFE}\u{FFFF}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("\u{7F}\u{85}", "\u{7F}\u{85}"), ("", ""),
        ])
    func charactersWithAMeaningInXMLAreEscaped(text: String, escaped: String) {
        #expect(XMLText.escape(text) == escaped)
    }

    @Test(
        "A file name cannot lead to another directory",
        arguments: [
            ("debian-12.raw", "debian-12.raw"), ("Ubuntu 24.04 «ä» 日本", "Ubuntu 24.04 «ä» 日本"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\x", "C__x"), (".hidden", "hidden"), ("--help", "help"), ("~", nil), ("..", nil), ("  ", nil), ("", nil),
            ("a\u{0}b\nc\u{7F}d\u{85}e", "a_b_c_d_e"), ("a\u{202E}b\u{200B}c\u{2028}d\u{FEFF}e", "a_b_c_d_e"), ("x. .", "x"),
            ("a*?\"<>|b", "a______b"), (String(repeating: "ä", count: 300), String(repeating: "ä", count: 100)),
            (".\u{301}x", "\u{301}x"), (String(repeating: "a", count: 199) + ".bc", String(repeating: "a", count: 199)),
        ] as [(String, String?)])
    func aFileNameCannotLeadToAnotherDirectory(name: String, safe: String?) {
        #expect(FileName.safe(name) == safe)
    }

    @Test("A file is named after its image, or by the image's ID and format")
    func aFileIsNamedAfterItsImageOrByItsID() throws {
        var image = Image(
            id: ImageID(), name: "debian", diskFormat: .raw, containerFormat: .bare, createdAt: .now, updatedAt: .now)
        func name(_ disk: DiskFormat) throws -> String {
            let representation = Representation(
                image: image.id, format: Format(disk: disk, container: .bare), size: 1,
                identity: try Digest(.md5, bytes: [UInt8](repeating: 1, count: 16)))
            return FileName.of(representation, image: image)
        }
        #expect(try name(.raw) == "debian")
        #expect(try name(.qcow2) == "debian.qcow2")
        image.name = "/.."
        #expect(try name(.raw) == "_")
        image.name = nil
        #expect(try name(.raw) == "\(image.id).raw")
    }
}
