package import ImageModel

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
