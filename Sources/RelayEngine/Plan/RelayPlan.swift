package import BackendKit
package import ImageModel

/// The bytes that a relay delivers, and the locations that it may read.
package struct RelayPlan: Sendable {
    /// How the bytes are verified.
    package enum Verification: Sendable, Equatable {
        /// By the digest of the whole. The tail is held back until the digest matches.
        case digest
        /// By the digest of each chunk. A chunk leaves once its digest matches, and is fetched again if it does not.
        case chunks(ChunkLayout)
        /// By the validators of the locations alone: a range without a manifest, or a verification that is switched off for a
        /// measurement.
        case none
    }

    /// What the relay's decisions need to know of one location.
    package struct Candidate: Sendable {
        /// The most bytes of one request; nil for no limit. Bounded reads are not paused.
        package let maximumRange: Int64?
        /// The validator that its object must have; nil for any.
        package let requiredValidator: Validator?
        /// How long to wait for a connection while another location could be asked; nil if the backend's connections are not
        /// limited.
        package let timeout: Duration?
        /// The operator's tier; lower ones are tried first.
        package let tier: Int
        /// Whether it is suspect: it is read only if no other location can serve.
        package let isSuspect: Bool

        package init(
            maximumRange: Int64? = nil, requiredValidator: Validator? = nil, timeout: Duration? = nil,
            tier: Int = 0, isSuspect: Bool = false
        ) {
            self.maximumRange = maximumRange
            self.requiredValidator = requiredValidator
            self.timeout = timeout
            self.tier = tier
            self.isSuspect = isSuspect
        }

        /// Whether one request has a limit, so that its bytes come all at once.
        var isBounded: Bool { maximumRange != nil }
    }

    /// The size of the whole representation, in bytes.
    package let size: Int64
    /// The offsets of the bytes to deliver.
    package let delivery: Range<Int64>
    /// The offset of the first byte to take. It lies before the delivery if that begins within a chunk.
    package let start: Int64
    /// The offset after the last byte to take.
    package let end: Int64
    /// How the bytes are verified.
    package let verification: Verification
    /// The locations, best first.
    package let candidates: [Candidate]

    /// The delivery of a whole representation.
    package init(whole size: Int64, verification: Verification = .digest, candidates: [Candidate]) {
        self.size = size
        delivery = 0..<size
        start = 0
        end = size
        self.verification = verification
        self.candidates = candidates
    }

    /// The delivery of a range.
    /// - Parameter layout: the chunks of the representation if their digests are known: whole chunks are then taken and
    ///   verified. Without them the range can't be verified.
    package init(range: ByteRange, of size: Int64, layout: ChunkLayout? = nil, candidates: [Candidate]) {
        self.size = size
        let widened = layout?.widened(range) ?? range
        delivery = range.first..<range.last + 1
        start = widened.first
        end = widened.last + 1
        verification = layout.map { .chunks($0) } ?? .none
        self.candidates = candidates
    }

    /// Whether the whole representation is delivered.
    package var isWhole: Bool { delivery == 0..<size }

    /// The number of bytes from `first` to before `end` that belong to the delivery.
    func delivered(from first: Int64, to end: Int64) -> Int64 {
        max(0, min(end, delivery.upperBound) - max(first, delivery.lowerBound))
    }
}

/// A representation's manifest. A relay reads its pages when it needs them.
package struct RelayManifest: Sendable {
    /// The chunks of the representation.
    package let layout: ChunkLayout
    /// The concatenated digests of the pages in memory, by page number.
    package let pages: [Int: [UInt8]]
    /// Reads a page. Calls back once, on any thread, with its digests, or with nil if it can't be read.
    package let load: @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void

    package init(
        layout: ChunkLayout, pages: [Int: [UInt8]],
        load: @escaping @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void
    ) {
        self.layout = layout
        self.pages = pages
        self.load = load
    }
}

/// One location that a relay reads.
package struct RelaySource: Sendable {
    package let location: LocationID
    package let backend: BackendID
    /// The path in the backend.
    package let path: String
    /// Makes the requests and interprets the responses.
    package let driver: any Driver
    /// The limit of the backend's connections; nil for no limit.
    package let connections: ConnectionLimit?
    /// Whether to bypass caches and use a new connection.
    package let isFresh: Bool

    package init(
        location: LocationID, backend: BackendID, path: String, driver: any Driver, connections: ConnectionLimit? = nil,
        isFresh: Bool = false
    ) {
        self.location = location
        self.backend = backend
        self.path = path
        self.driver = driver
        self.connections = connections
        self.isFresh = isFresh
    }
}
