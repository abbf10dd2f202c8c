public import ImageModel

/// What a relay is to deliver, and from where it may.
public struct RelayPlan: Sendable {
    /// What makes a delivery right.
    public enum Proof: Sendable, Equatable {
        /// The digest of the whole: nothing after the tail's start leaves before it matched.
        case digest
        /// Nothing but the validators of the locations: a range, or a proof switched off for a measurement.
        case none
    }

    /// One location, as far as the relay's decisions need to know it.
    public struct Candidate: Sendable {
        /// The most bytes to ask for at once; nil for no limit. Such reads are not paused.
        public let maximumRange: Int64?
        /// The validator that its object must have; nil if any will do.
        public let requiredValidator: Validator?
        /// How long to wait for a connection while another location could be asked; nil where the backend has any number.
        public let patience: Duration?
        /// Whether its requests show credentials that end.
        public let renewsCredentials: Bool
        /// The operator's tier; a lower one is asked first.
        public let tier: Int
        /// Whether its content is under suspicion: it is read only when no other can serve.
        public let isAccused: Bool

        /// A candidate with every property given.
        public init(
            maximumRange: Int64? = nil, requiredValidator: Validator? = nil, patience: Duration? = nil,
            renewsCredentials: Bool = false, tier: Int = 0, isAccused: Bool = false
        ) {
            self.maximumRange = maximumRange
            self.requiredValidator = requiredValidator
            self.patience = patience
            self.renewsCredentials = renewsCredentials
            self.tier = tier
            self.isAccused = isAccused
        }
    }

    /// The size of the whole representation, in bytes.
    public let size: Int64
    /// The offset of the first byte to deliver.
    public let start: Int64
    /// The offset behind the last byte to deliver.
    public let end: Int64
    /// What makes it right.
    public let proof: Proof
    /// The locations, the best first.
    public let candidates: [Candidate]

    /// The delivery of a whole representation.
    public init(whole size: Int64, proof: Proof = .digest, candidates: [Candidate]) {
        self.size = size
        start = 0
        end = size
        self.proof = proof
        self.candidates = candidates
    }

    /// The delivery of a range, which can't be proven.
    public init(range: ByteRange, of size: Int64, candidates: [Candidate]) {
        self.size = size
        start = range.first
        end = range.last + 1
        proof = .none
        self.candidates = candidates
    }
}
