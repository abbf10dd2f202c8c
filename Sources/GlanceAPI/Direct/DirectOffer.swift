package import FoundationEssentials
package import ImageModel

/// What a trusted client may be told of the locations of one representation: where it can read them without Baton.
package struct DirectOffer: Sendable {
    /// A location with the URL to read it at.
    package struct Place: Sendable {
        package let location: Location
        /// For the header of an answer and for nothing else: it may hold a signature, and goes into no log.
        package let url: String
        /// When the URL ends; nil if it does not.
        package let expires: Date?
        /// Whether nothing speaks against it now.
        package let isHealthy: Bool
    }

    /// Why nobody is sent to a location.
    package enum Absence: String, Sendable {
        /// The caller is not trusted.
        case notTrusted = "not-trusted"
        /// No location that may serve lies in a backend that clients may be sent to.
        case noRedirect = "no-redirect"
        /// None of those has been verified in full.
        case notVerified = "not-verified"
        /// All of those failed lately, or are suspect.
        case notHealthy = "not-healthy"
        /// A range was asked for while the representation is on integrity hold.
        case onIntegrityHold = "integrity-hold"
        /// The range is wanted only of other bytes than these (`If-Range`): a location may not know what the tag means.
        case otherContent = "other-content"
    }

    /// The best first. Those that failed lately stand behind; those that are suspect are left out.
    package let places: [Place]
    /// Why there is none, or none that is healthy.
    package let absence: Absence?

    /// The place to send a client to.
    package var best: Place? { places.first(where: \.isHealthy) }
}
