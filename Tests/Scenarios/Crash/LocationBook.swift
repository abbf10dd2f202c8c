import ImageModel

/// What was asked of one location and what was answered, in this order.
struct LocationBook: Sendable {
    /// What is known of the bytes of an image.
    struct Content: Sendable {
        let image: String
        let size: Int64
        /// By algorithm, in hexadecimal digits.
        let digests: [String: String]
        /// The true digests of its chunks, one behind the other.
        var chunks: @Sendable (ChunkLayout) -> [UInt8] = { _ in [] }
    }

    /// What an operator sets of a location.
    struct Words: Sendable, Equatable {
        let weight: Int
        let metadata: [String: String]
    }

    /// Something that an operator asks for.
    struct Change: Sendable, Equatable {
        /// Its reason, which is like no other's.
        let mark: String
        /// As the history names it.
        let event: String
        /// What it sets, if it sets something.
        var words: Words?
        /// The status that the answer told of.
        var told: String?
    }

    let url: String
    let content: Content
    /// Whether the bytes there are always right.
    let isSound: Bool
    /// Whether its registration says what the content is: the image has that from then on. Else it has it once a read has told.
    let isDeclared: Bool
    /// As registered.
    let words: Words
    /// Known once the registration was answered, or found in the catalog.
    var id: String?
    /// The status that the registration's answer told of.
    var told: String?
    /// What was answered with yes.
    var changes: [Change] = []
    /// What was asked for and not answered.
    var open: Change?
    /// What was answered with no, or was found to have come to nothing.
    var refused: Set<String> = []
    /// The history as it was seen last.
    var seen: [CatalogAccount.Line] = []
    /// Whether nothing can change it any more.
    var isOver = false

    init(url: String, content: Content, isSound: Bool = true, isDeclared: Bool = true, words: Words) {
        self.url = url
        self.content = content
        self.isSound = isSound
        self.isDeclared = isDeclared
        self.words = words
    }
}
