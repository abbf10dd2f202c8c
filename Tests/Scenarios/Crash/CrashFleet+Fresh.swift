import FaultyOrigin
import Foundation
import ImageModel
import LocationSelection

// Images that are new in a round, so that there are always manifests to be made. Their locations are deleted when the round is over:
// scrubs would have ever more to read.
extension CrashFleet {
    /// How many are made under load in one round.
    static let freshShare = 5

    /// An image that is to be made, with a content that is read in a moment.
    func freshImage(using random: inout SplitMix64) -> PlacedImage {
        let content = contents.dropFirst().randomElement(using: &random) ?? contents[0]
        return content.placed(as: Self.newID(using: &random))
    }

    /// One whose manifest has two pages.
    func pagedImage(using random: inout SplitMix64) -> PlacedImage { paged.placed(as: Self.newID(using: &random)) }

    /// The location of a fresh image.
    /// - Parameter isHeld: whether it is held up before its end while the fleet's switch says so.
    func freshBook(
        _ mark: String, of image: PlacedImage, owner: Int, isDeclared: Bool, isHeld: Bool = false
    ) -> LocationBook {
        LocationBook(
            url: image.origin.url("\(owner)-fresh-\(mark)\(isHeld ? "-held" : "")"), content: image.facts,
            isDeclared: isDeclared, words: .init(weight: 3, metadata: ["mark": mark]))
    }

    /// The body of the image's creation, with an id of ours: what was not answered can be told from what nobody asked for.
    func creation(of image: PlacedImage) -> String {
        #"{"id": "\#(image.id)", "name": "fresh", "disk_format": "raw", "container_format": "bare"}"#
    }

    /// The digests of the chunks of those images, as they are cut here.
    var pagedDigests: [UInt8] {
        ChunkLayout(size: paged.origin.content.size, chunkSize: 64 << 10).map { paged.chunkDigests($0) } ?? []
    }

    /// The bytes at a location of a fresh image.
    func content(of book: LocationBook) -> PatternedContent? {
        (contents + [paged]).map(\.origin).first { book.url.hasPrefix($0.url("")) }?.content
    }

    /// Whether a location is the only one of a fresh image.
    static func isFresh(_ url: String) -> Bool { url.contains("-fresh-") }

    /// Whether it can be held up.
    static func isHeld(_ path: String) -> Bool { path.hasSuffix("-held") }

    private static func newID(using random: inout SplitMix64) -> String {
        var digits = (0..<2).map { _ in String(format: "%016llx", random.next()) }.joined()
        // 8, 4, 4, 4 and 12 digits.
        for length in [20, 16, 12, 8] { digits.insert("-", at: digits.index(digits.startIndex, offsetBy: length)) }
        return digits
    }
}
