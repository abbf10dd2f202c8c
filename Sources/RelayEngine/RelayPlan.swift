package import BackendKit
package import ImageModel
package import LocationSelection

/// What a relay is to deliver, and from where it may.
package struct RelayPlan: Sendable {
    /// What makes a delivery right.
    package enum Verification: Sendable, Equatable {
        /// The digest of the whole: nothing after the tail's start leaves before it matched.
        case digest
        /// The digest of each chunk: a chunk leaves once its digest matched, and begins again elsewhere when it did not.
        case chunks(ChunkLayout)
        /// Nothing but the validators of the locations: a range without a manifest, or a verification switched off for a measurement.
        case none
    }

    /// One location, as far as the relay's decisions need to know it.
    package struct Candidate: Sendable {
        /// The most bytes to ask for at once; nil for no limit. Such reads are not paused.
        package let maximumRange: Int64?
        /// The validator that its object must have; nil if any will do.
        package let requiredValidator: Validator?
        /// How long to wait for a connection while another location could be asked; nil where the backend has any number.
        package let timeout: Duration?
        /// The operator's tier; a lower one is asked first.
        package let tier: Int
        /// Whether its content is under suspicion: it is read only when no other can serve.
        package let isSuspect: Bool

        /// A candidate with every property given.
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
    }

    /// The size of the whole representation, in bytes.
    package let size: Int64
    /// The bytes to deliver, by their offsets.
    package let delivery: Range<Int64>
    /// The offset of the first byte to take; below the delivery's where that begins within a chunk.
    package let start: Int64
    /// The offset behind the last byte to take.
    package let end: Int64
    /// What makes it right.
    package let verification: Verification
    /// The locations, the best first.
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
    /// - Parameter layout: how the representation is cut if its chunks' digests are known: then whole chunks are taken and verified;
    ///   else nothing can be.
    package init(range: ByteRange, of size: Int64, layout: ChunkLayout? = nil, candidates: [Candidate]) {
        self.size = size
        let taken = layout?.widened(range) ?? range
        delivery = range.first..<range.last + 1
        start = taken.first
        end = taken.last + 1
        verification = layout.map { .chunks($0) } ?? .none
        self.candidates = candidates
    }

    /// Whether it is the whole representation that is delivered.
    package var isWhole: Bool { delivery == 0..<size }

    /// How many of the bytes from `first` to before `end` are to be delivered.
    func delivered(from first: Int64, to end: Int64) -> Int64 {
        max(0, min(end, delivery.upperBound) - max(first, delivery.lowerBound))
    }
}

/// A representation's manifest as a relay reads it: page after page, when it needs them.
package struct RelayManifest: Sendable {
    /// How the representation is cut.
    package let layout: ChunkLayout
    /// The digests of pages that are at hand, one behind the other, by the page's number.
    package let pages: [Int: [UInt8]]
    /// Reads a page; calls back once, on any thread, with its digests, or nil when it can't be read.
    package let load: @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void

    /// A manifest with every property given.
    package init(
        layout: ChunkLayout, pages: [Int: [UInt8]],
        load: @escaping @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void
    ) {
        self.layout = layout
        self.pages = pages
        self.load = load
    }
}

/// The limits of a relay; the operator's, see config/baton.yaml.
package struct RelayPolicy: Sendable, Equatable {
    /// How long no byte may come before the relay moves on.
    package var stallTimeout: Duration = .seconds(3)
    /// What the stall timeout grows to when all locations have stalled.
    package var stallTimeoutLimit: Duration = .seconds(60)
    /// When a location that brings bytes is left for a faster one.
    package var slow = SlowLocationRule()
    /// Where no chunks are known, such a location is left at offsets that are a multiple of this.
    package var slowEdge: Int64 = 1 << 20
    /// How long a relay goes on without progress while its client is ready.
    package var giveUpAfter: Duration = .seconds(60)
    /// How long a client may read nothing.
    package var clientStallTimeout: Duration = .seconds(300)
    /// How long a client takes nothing before its permit may go to another download; how long any download has its permit before it
    /// may go to one that was interrupted.
    package var permitTimeout: Duration = .seconds(5)
    /// How many revisits of failed locations a relay may make without progress.
    package var revisits = 32
    /// The progress that pays revisits back, in bytes, over any number of attempts.
    package var refundAfter: Int64 = 1
    /// The first bound of the wait before a revisit.
    package var backoff: Duration = .milliseconds(100)
    /// The largest bound of that wait.
    package var backoffLimit: Duration = .seconds(5)
    /// How many bytes may be read and dropped at a location that answers a Range with everything.
    package var discardLimit: Int64 = 256 << 20
    /// How much of the end is held back until the whole is verified, in bytes.
    package var tail: Int64 = 1 << 20
    /// How many bytes may wait for the client, beside the tail.
    package var window: Int64 = 4 << 20

    /// How many bytes may come at a time, and so after reading was stopped.
    package var batch: Int64 = 1 << 20

    /// The defaults.
    package init() {}
}

/// One location as a relay reads it.
package struct RelaySource: Sendable {
    /// Its id.
    package let location: LocationID
    /// Its backend.
    package let backend: BackendID
    /// Where in the backend.
    package let path: String
    /// Who knows how to ask.
    package let driver: any Driver
    /// Its backend's limit of connections, if there is one.
    package let connections: ConnectionLimit?
    /// Whether to go past caches on a new connection.
    package let isFresh: Bool

    /// A source with every property given.
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
