import ImageModel

/// The requests for one location and their answers, in order.
struct LocationBook: Sendable {
    /// The size and the digests of an image's bytes.
    struct Content: Sendable {
        let image: String
        let size: Int64
        /// By algorithm, in hexadecimal digits.
        let digests: [String: String]
        /// The true digests of its chunks, concatenated.
        var chunks: @Sendable (ChunkLayout) -> [UInt8] = { _ in [] }
    }

    /// The fields of a location that an operator sets.
    struct Words: Sendable, Equatable {
        let weight: Int
        let metadata: [String: String]
    }

    /// A change that an operator requests.
    struct Change: Sendable, Equatable {
        /// Its reason, which is unique.
        let mark: String
        /// As the history names it.
        let event: String
        /// The fields that it sets, if any.
        var words: Words?
        /// The status in the answer.
        var told: String?
    }

    let url: String
    let content: Content
    /// Whether the bytes there are always right.
    let isSound: Bool
    /// Whether its registration declares the content, which the image has from then on. Otherwise a full read computes it.
    let isDeclared: Bool
    /// As registered.
    let words: Words
    /// Known once the registration was answered, or found in the catalog.
    var id: String?
    /// The status in the registration's answer.
    var told: String?
    /// The confirmed changes.
    var changes: [Change] = []
    /// The unanswered change.
    var open: Change?
    /// The marks of changes that were refused or found not done.
    var refused: Set<String> = []
    /// The history as last seen.
    var seen: [CatalogAccount.Line] = []
    /// Whether it can no longer change.
    var isOver = false

    init(url: String, content: Content, isSound: Bool = true, isDeclared: Bool = true, words: Words) {
        self.url = url
        self.content = content
        self.isSound = isSound
        self.isDeclared = isDeclared
        self.words = words
    }
}
