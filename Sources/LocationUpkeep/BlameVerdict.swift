public import ImageModel

/// Who is wrong after a proof has failed, judged from reading locations alone (DESIGN 1.7: blame is earned).
public enum BlameVerdict: Sendable, Equatable {
    /// What reading a location alone gave.
    public enum Reading: Sendable, Equatable {
        /// The bytes have the declared digest.
        case matched
        /// The bytes have another one, the same in two reads if it is the accused's.
        case computed(Digest)
        /// The accused's two reads differ from each other, or it can't be read.
        case unsettled
    }

    /// The location is right.
    case clear
    /// The location's content is wrong.
    case quarantine
    /// Another location has the same content: what was declared is wrong, and nobody is to blame.
    case distrustDeclared
    /// Nothing is certain: it stays accused.
    case undecided

    /// Judges one location.
    /// - Parameters:
    ///   - accused: what two reads of it gave.
    ///   - others: what one read of each other location of the representation gave.
    public init(accused: Reading, others: [Reading]) {
        switch accused {
        case .matched: self = .clear
        case .unsettled: self = .undecided
        case .computed: self = others.contains(accused) ? .distrustDeclared : .quarantine
        }
    }
}
