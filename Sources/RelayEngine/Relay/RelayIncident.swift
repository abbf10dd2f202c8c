package import BackendKit
package import ImageModel

/// A problem of a relay, reported when it occurs.
package enum RelayIncident: Sendable {
    /// A location, with its backend.
    package struct Origin: Sendable, Hashable {
        package let location: LocationID
        package let backend: BackendID
    }

    /// An attempt at the location failed; this offset was next.
    case failed(Origin, AttemptFailure, offset: Int64)
    /// The relay continues from another location at this offset.
    case failover(from: Origin, to: Origin, offset: Int64, gap: Duration, AttemptFailure)
    /// The chunk at this offset does not have its digest. No byte of it was delivered.
    case chunkMismatch(offset: Int64, [Origin])
    /// The whole does not match its digest.
    case wholeMismatch([Origin])
}
