package import ImageModel

/// Who is wrong when a location's content is not what it should be, judged from reading locations alone (DESIGN 1.7: attribution is
/// earned).
package enum Attribution: Sendable, Equatable {
    /// What a content is known by that is not the declared one.
    package struct OtherContent: Sendable, Hashable {
        /// Bytes.
        package let size: Int64
        /// The digest in the identity's algorithm; nil if the size alone gave it away.
        package let digest: Digest?

        /// A content with every property given.
        package init(size: Int64, digest: Digest?) {
            self.size = size
            self.digest = digest
        }
    }

    /// What reading a location alone gave.
    package enum Reading: Sendable, Equatable {
        /// The declared content.
        case matched
        /// Another one; the same in two reads if it is the suspect's.
        case other(OtherContent)
        /// The suspect's two reads differ from each other, or it can't be read.
        case unsettled
    }

    /// The location is right.
    case clear
    /// The location's content is wrong.
    case quarantine
    /// Another location has the same content: what was declared is wrong, and nobody is to attribution.
    case recordDeclaredConflict
    /// Nothing is certain: it stays as it is.
    case undecided

    /// Judges one location.
    /// - Parameters:
    ///   - suspect: what two reads of it gave.
    ///   - others: what one read of each other location of the representation gave.
    package init(suspect: Reading, others: [Reading]) {
        switch suspect {
        case .matched: self = .clear
        case .unsettled: self = .undecided
        case .other: self = others.contains(suspect) ? .recordDeclaredConflict : .quarantine
        }
    }
}
