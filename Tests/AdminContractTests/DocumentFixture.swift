import AdminContract
import Foundation
import ImageModel
import Testing

/// The values that the documents of these tests are made of.
enum DocumentFixture {
    static let image = ImageID("00000000-0000-4000-8000-000000000001") ?? ImageID()
    static let location = LocationID("00000000-0000-4000-8000-000000000002") ?? LocationID()
    /// 2026-09-01T10:00:00Z.
    static let time = Date(timeIntervalSince1970: 1_788_256_800)
    static let md5 = "d41d8cd98f00b204e9800998ecf8427e"

    static func digest() throws -> Digest { try Digest(.md5, hex: md5) }

    /// A location with every optional value.
    static func fullLocation() throws -> Location {
        Location(
            id: location, image: image, backend: BackendID("north"), path: "a b", url: "http://north/a%20b",
            state: LocationState(), format: Format(disk: .qcow2, container: .bare), size: 7,
            digests: DigestSet([try digest()]), computed: [.md5], isIdentified: true, weight: -3, tier: 2,
            metadata: ["zone": "ö/1"], validator: Validator("\"v\""), isSuspect: true, verifiedAt: time,
            nextReadAt: time + 1, expiresAt: time + 2, createdAt: time)
    }

    /// A location of which little is known.
    static func newLocation() -> Location {
        Location(
            id: location, image: image, backend: BackendID("north"), path: "x", url: "http://north/x",
            format: Format(disk: .raw, container: .bare), size: nil, digests: DigestSet(), isIdentified: false,
            createdAt: time)
    }
}

/// Expects that a document is written as this JSON, and that reading the JSON gives the document.
/// - Parameter text: the JSON with the members of each object sorted; blanks and line ends between tokens are ignored.
func expect<Document: JSONDocument & Decodable & Equatable>(
    _ document: Document, is text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let compact = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
    #expect(String(decoding: try document.written(), as: UTF8.self) == compact, sourceLocation: sourceLocation)
    #expect(try JSONDecoder().decode(Document.self, from: Data(compact.utf8)) == document, sourceLocation: sourceLocation)
}
