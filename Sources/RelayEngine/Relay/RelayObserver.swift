package import BackendKit
package import ImageModel
package import LocationSelection

/// Observes the behaviour of locations while relays run. Called on their loops.
package protocol RelayObserver: Sendable {
    /// An attempt sends its request to the backend; it has its permit and its credentials.
    func attemptRequested(in backend: BackendID)
    /// An attempt at the backend is over, whether it succeeded or not.
    func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure)
    /// A running attempt at the backend has this throughput.
    func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID)
    /// More bytes were taken from the backend. Called from time to time while they come.
    func recordBytes(_ count: Int64, of backend: BackendID)
    /// The estimated throughput of each of these locations.
    func estimates(of sources: [RelaySource]) -> [ThroughputEstimate]
    /// An attempt at the location failed.
    func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure)
    /// The location contributed to verified bytes.
    func locationServed(_ location: LocationID)
}

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
