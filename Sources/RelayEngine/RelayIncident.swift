package import BackendKit
package import ImageModel

/// Something that went wrong in the course of a relay, told when it happens.
package enum RelayIncident: Sendable {
    /// A location, with its backend.
    package struct Place: Sendable, Hashable {
        /// The location.
        package let location: LocationID
        /// Its backend.
        package let backend: BackendID
    }

    /// The location brought less than it was asked for; the relay had come to this offset.
    case failed(Place, AttemptFailure, offset: Int64)
    /// The relay goes on from another location, at this offset.
    case moved(from: Place, to: Place, offset: Int64, gap: Duration, AttemptFailure)
    /// The chunk at this offset does not have its digest; no byte of it was delivered.
    case chunkMismatch(offset: Int64, [Place])
    /// The whole does not have its digest.
    case wholeMismatch([Place])
}
