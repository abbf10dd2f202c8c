import Testing

/// A way in which a crash could damage a catalog, for the tests of the checks.
struct CatalogDamage: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: Contradiction.Kind
    let apply: @Sendable (inout CatalogAccount) -> Void

    var testDescription: String { name }

    private init(_ name: String, _ kind: Contradiction.Kind, _ apply: @escaping @Sendable (inout CatalogAccount) -> Void) {
        (self.name, self.kind, self.apply) = (name, kind, apply)
    }

    private typealias Line = CatalogAccount.Line

    static let all: [CatalogDamage] = ofRecords + ofHistories + ofManifests + ofReads

    private static let ofRecords: [CatalogDamage] = [
        CatalogDamage("a location is gone", .lost) { $0.entries = [] },
        CatalogDamage("the image is gone", .lost) { $0.images = [] },
        CatalogDamage("an image exists that was not requested", .wrong) { $0.images.insert("j") },
        CatalogDamage("its representation is gone", .lost) { $0.contents = [] },
        CatalogDamage("its representation is another", .wrong) { $0.contents[0].identity = "sha256:cc" },
        CatalogDamage("its size is another", .wrong) { $0.entries[0].size = 11 },
        CatalogDamage("its digest is another", .wrong) { $0.entries[0].digests["md5"] = "cc" },
        CatalogDamage("a location exists twice", .wrong) { $0.entries.append($0.entries[0]) },
        CatalogDamage("a location exists that was not requested", .wrong) {
            $0.entries.append($0.entries[0])
            $0.entries[1].url = "v"
        },
        CatalogDamage("a read stands past the end", .wrong) { $0.entries[0].progress = 11 },
        CatalogDamage("an edit is gone and its history line is not", .lost) { $0.entries[0].metadata = [:] },
    ]

    private static let ofHistories: [CatalogDamage] = [
        CatalogDamage("an answered change and its status are gone", .lost) {
            $0.entries[0].history.remove(at: 2)
            $0.entries[0].history[2].from = "active"
            $0.entries[0].history[2].to = "active"
            ($0.entries[0].status, $0.entries[0].before) = ("active", [])
        },
        CatalogDamage("the status is not the history's", .wrong) { $0.entries[0].status = "active" },
        CatalogDamage("the status before is not the history's", .wrong) { $0.entries[0].before = ["pending"] },
        CatalogDamage("a line is gone", .wrong) { $0.entries[0].history.remove(at: 1) },
        CatalogDamage("a line exists twice", .wrong) { $0.entries[0].history.append($0.entries[0].history[3]) },
        CatalogDamage("lines are out of order", .wrong) { $0.entries[0].history.swapAt(2, 3) },
        CatalogDamage("a line that was seen has changed", .lost) { $0.entries[0].history[1].reason = "another" },
        CatalogDamage("a change was not requested", .wrong) {
            $0.entries[0].history.append(
                Line(event: "enable", from: "disabled", to: "active", actor: "admin", reason: "m9"))
            ($0.entries[0].status, $0.entries[0].before) = ("active", [])
        },
        CatalogDamage("a sound location has a miss", .wrong) {
            $0.entries[0].history.append(
                Line(event: "missed", from: "disabled", to: "disabled", actor: "baton", reason: "gone"))
        },
    ]

    private static let ofManifests: [CatalogDamage] = [
        CatalogDamage("a manifest is gone", .lost) { $0.manifests = [] },
        CatalogDamage("a manifest is of other bytes", .wrong) { $0.manifests[0].identity = "sha256:cc" },
        CatalogDamage("a manifest is without a page", .wrong) { $0.manifests[0].pages = [] },
        CatalogDamage("a manifest has one chunk too few", .wrong) { $0.manifests[0].pages[0].digests.removeLast(32) },
        CatalogDamage("a chunk's digest is wrong", .wrong) { $0.manifests[0].pages[0].digests[40] = 9 },
        CatalogDamage("a page's seal is wrong", .wrong) { $0.manifests[0].pages[0].seal[0] ^= 1 },
        CatalogDamage("a manifest has another chunk size", .wrong) { $0.manifests[0].chunkSize = 1 },
    ]

    private static let ofReads: [CatalogDamage] = [
        CatalogDamage("a read has a wrong digest of a chunk", .wrong) { $0.entries[0].chunks?.pages[0].digests[0] = 9 },
        CatalogDamage("a read has a chunk too few", .wrong) { $0.entries[0].chunks?.pages[0].digests.removeLast(32) },
        CatalogDamage("a read has a chunk that it has not finished", .wrong) { $0.entries[0].progress = 7 },
        CatalogDamage("a read has finished a chunk and has no digest of it", .wrong) { $0.entries[0].chunks?.pages = [] },
        CatalogDamage("a read has a page too many", .wrong) {
            $0.entries[0].chunks?.pages.append(.init(number: 1, digests: []))
        },
        CatalogDamage("a read has an unknown digest algorithm", .wrong) { $0.entries[0].chunks?.algorithm = "crc" },
    ]
}
