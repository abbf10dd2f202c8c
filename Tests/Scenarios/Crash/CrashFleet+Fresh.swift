import FaultyOrigin
import Foundation
import ImageModel
import LocationSelection

// Images that are new in a round, so that there are always manifests to be made. Their locations are deleted after the round, or
// scrubs would have more to read in every round.
extension CrashFleet {
    /// How many images are made under load in one round.
    static let freshShare = 5

    /// An image to be made, with content that is read quickly.
    func freshImage(using random: inout SplitMix64) -> PlacedImage {
        let content = contents.dropFirst().randomElement(using: &random) ?? contents[0]
        return content.placed(as: Self.newID(using: &random))
    }

    /// An image whose manifest has two pages.
    func pagedImage(using random: inout SplitMix64) -> PlacedImage { paged.placed(as: Self.newID(using: &random)) }

    /// The location of a fresh image.
    /// - Parameter isHeld: whether reads of it stall before the end while the fleet's switch is set.
    func freshBook(
        _ mark: String, of image: PlacedImage, owner: Int, isDeclared: Bool, isHeld: Bool = false
    ) -> LocationBook {
        LocationBook(
            url: image.origin.url("\(owner)-fresh-\(mark)\(isHeld ? "-held" : "")"), content: image.facts,
            isDeclared: isDeclared, words: .init(weight: 3, metadata: ["mark": mark]))
    }

    /// The body of the image's creation, with a chosen id: so an unanswered creation can be told from one that was not requested.
    func creation(of image: PlacedImage) -> String {
        #"{"id": "\#(image.id)", "name": "fresh", "disk_format": "raw", "container_format": "bare"}"#
    }

    /// The digests of the chunks of those images, with the chunk size used here.
    var pagedDigests: [UInt8] {
        ChunkLayout(size: paged.origin.content.size, chunkSize: 64 << 10).map { paged.chunkDigests($0) } ?? []
    }

    /// The bytes at a location of a fresh image.
    func content(of book: LocationBook) -> PatternedContent? {
        (contents + [paged]).map(\.origin).first { book.url.hasPrefix($0.url("")) }?.content
    }

    /// Whether a location is the only one of a fresh image.
    static func isFresh(_ url: String) -> Bool { url.contains("-fresh-") }

    /// Whether reads of it can be stalled.
    static func isHeld(_ path: String) -> Bool { path.hasSuffix("-held") }

    private static func newID(using random: inout SplitMix64) -> String {
        var digits = (0..<2).map { _ in String(format: "%016llx", random.next()) }.joined()
        // 8, 4, 4, 4 and 12 digits.
        for length in [20, 16, 12, 8] { digits.insert("-", at: digits.index(digits.startIndex, offsetBy: length)) }
        return digits
    }
}
