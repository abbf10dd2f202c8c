import FaultyOrigin
import Foundation
import ImageModel
import LocationSelection
import Synchronization

/// The images and origins of the crash scenarios.
///
/// Each image that exists from the start has one location that operators only verify and edit, so that one always serves. One more
/// location of the second image is at an origin whose bytes are wrong in every other round, so that Baton keeps quarantining and
/// clearing it.
final class CrashFleet: Sendable {
    /// An image and its bytes.
    struct PlacedImage: Sendable {
        let id: String
        let content: PatternedContent
        let facts: LocationBook.Content
        let origin: FaultyOrigin
    }

    static let settings = """
        relay: { connect_timeout: 10s, stall_timeout: 30s, give_up_after: 60s }
        maintenance: { interval: 20ms, scrub_interval: 500ms, scrub_rate: 24MiB, recheck: 50ms, delete_delay: 2s }
        manifests: { chunk_size: 64KiB, eager: false }
        """

    let directory: TestDirectory
    let origins: [String: FaultyOrigin]
    let isRotten: Flag
    /// Whether reads of fresh images stall, where they can be stalled.
    let isHeld: Flag
    let images: [PlacedImage]
    let contents: [CrashContent]
    let paged: CrashContent

    /// The catalog's file.
    var catalog: String { directory.file("catalog.sqlite") }

    /// Gives three images their contents.
    /// - Parameter ids: the ids of the images, which exist already.
    init(in directory: TestDirectory, origins: Origins, ids: [String]) {
        self.directory = directory
        self.origins = origins.all
        isRotten = origins.isRotten
        isHeld = origins.isHeld
        contents = origins.sound
        paged = origins.paged
        images = zip(ids, origins.sound).map { id, content in content.placed(as: id) }
    }

    /// The locations at the start.
    func firstBooks() -> [LocationBook] {
        var books: [LocationBook] = []
        for image in images {
            for name in ["anchor", "0-x", "1-x", "2-x", "3-x"] { books.append(book(image.origin.url(name), image)) }
        }
        if let rotting = origins["rotting"] { books.append(book(rotting.url("3-rotting"), images[1], isSound: false)) }
        return books
    }

    private func book(_ url: String, _ image: PlacedImage, isSound: Bool = true) -> LocationBook {
        LocationBook(url: url, content: image.facts, isSound: isSound, words: .init(weight: 1, metadata: ["mark": "first"]))
    }

    /// The body of a registration.
    func registration(of book: LocationBook) -> String {
        // A location that may rot ranks last, so that downloads do not need it.
        let tier = book.isSound ? Self.name(of: book.url) == "anchor" ? 0 : 1 : 9
        let declared = #""size": \#(book.content.size), "digests": {"sha256": "\#(book.content.digests["sha256"] ?? "")"}, "#
        return #"""
            {"url": "\#(book.url)", \#(book.isDeclared ? declared : "")"weight": \#(book.words.weight), "tier": \#(tier),
             "metadata": {"mark": "\#(book.words.metadata["mark"] ?? "")"}}
            """#
    }

    /// The maximum number of locations that one operator can still change.
    static let share = 12

    /// The URL and the image of one more location, never of the largest image, which would keep scrubs busy.
    func newPlace(_ mark: String, owner: Int, using random: inout SplitMix64) -> (url: String, image: PlacedImage) {
        let image = images.dropFirst().randomElement(using: &random) ?? images[0]
        return (image.origin.url("\(owner)-\(mark)"), image)
    }

    /// Which of that many operators owns a location.
    func owner(of url: String, among count: Int) -> Int {
        // Anchors belong to the first operator.
        Self.name(of: url).split(separator: "-").first.flatMap { Int($0) }.map { $0 % count } ?? 0
    }

    /// The next operation on a location: mostly one that its last known status allows.
    func operation(on book: LocationBook, using random: inout SplitMix64) -> String {
        let isKept = Self.name(of: book.url) == "anchor" || Self.isFresh(book.url)
        guard book.isSound, !isKept else { return Bool.random(using: &random) ? "edit" : "verify" }
        let all = ["edit", "verify", "disable", "enable", "quarantine", "delete", "restore"]
        guard Int.random(in: 0..<5, using: &random) > 0 else { return all.randomElement(using: &random) ?? "edit" }
        let known = LocationStatus(rawValue: book.changes.last?.told ?? book.seen.last?.to ?? "active") ?? .active
        let legal = LocationTransition.table[known].map { $0.keys.map(\.rawValue).filter(all.contains).sorted() } ?? []
        // Deletion is final, so it is chosen rarely.
        let wanted = known == .active ? legal.filter { $0 != "delete" || Int.random(in: 0..<3, using: &random) == 0 } : legal
        return (wanted + ["edit"]).randomElement(using: &random) ?? "edit"
    }

    private static func name(of url: String) -> String { url.split(separator: "/").last.map(String.init) ?? "" }
}
