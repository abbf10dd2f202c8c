package import ImageModel

/// The decision about a location whose content is not as declared, based on reads of single locations. A location is
/// quarantined only if its own repeated read confirms the wrong content.
package enum Attribution: Sendable, Equatable {
    /// A content other than the declared one, by size and digest.
    package struct OtherContent: Sendable, Hashable {
        /// The size in bytes.
        package let size: Int64
        /// The digest in the identity's algorithm; nil if the size alone differed.
        package let digest: Digest?

        package init(size: Int64, digest: Digest?) {
            self.size = size
            self.digest = digest
        }
    }

    /// The result of reading a location alone.
    package enum Reading: Sendable, Equatable {
        /// The declared content.
        case matched
        /// Another content; for the suspect the same in both reads.
        case other(OtherContent)
        /// The suspect's two reads differ, or it can't be read.
        case unsettled
    }

    /// The location has the declared content.
    case clear
    /// The location's content is wrong: both reads of it found the same other content, and no other location has it.
    case quarantine
    /// Another location has the same content, which contradicts the declared digest. Neither location is quarantined.
    case recordDeclaredConflict
    /// The reads are inconclusive: the location keeps its status.
    case undecided

    /// Decides about one suspect location.
    /// - Parameters:
    ///   - suspect: the result of two reads of it.
    ///   - others: the result of one read of each other location of the representation.
    package init(suspect: Reading, others: [Reading]) {
        switch suspect {
        case .matched: self = .clear
        case .unsettled: self = .undecided
        case .other: self = others.contains(suspect) ? .recordDeclaredConflict : .quarantine
        }
    }
}
