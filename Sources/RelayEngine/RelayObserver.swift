package import BackendKit
package import ImageModel
package import LocationSelection
package import NIOCore

/// Who learns of locations' behaviour while relays run; called on their loops.
package protocol RelayObserver: Sendable {
    /// An attempt at the backend began.
    func attemptBegan(in backend: BackendID)
    /// An attempt at the backend is over, well or not.
    func attemptEnded(in backend: BackendID, _ measure: AttemptMeasure)
    /// An attempt at the backend goes on, and brings so many bytes a second.
    func recordThroughput(_ bytesPerSecond: Double, in backend: BackendID)
    /// So many bytes more were taken of the backend; now and then while they come.
    func bytesTaken(_ count: Int64, of backend: BackendID)
    /// What could be expected of each of these locations now.
    func estimates(of sources: [RelaySource]) -> [ThroughputEstimate]
    /// An attempt at the location failed.
    func locationFailed(_ location: LocationID, in backend: BackendID, _ failure: AttemptFailure)
    /// The location contributed to a verified whole.
    func locationServed(_ location: LocationID)
    /// The relay is over.
    func relayEnded(_ relay: Relay)
}

/// Something that went wrong in the course of a relay, told when it happens.
package enum RelayIncident: Sendable {
    /// A location, with its backend.
    package struct Origin: Sendable, Hashable {
        /// The location.
        package let location: LocationID
        /// Its backend.
        package let backend: BackendID
    }

    /// The location brought less than it was asked for; the relay had come to this offset.
    case failed(Origin, AttemptFailure, offset: Int64)
    /// The relay goes on from another location, at this offset.
    case moved(from: Origin, to: Origin, offset: Int64, gap: Duration, AttemptFailure)
    /// The chunk at this offset does not have its digest; no byte of it was delivered.
    case chunkMismatch(offset: Int64, [Origin])
    /// The whole does not have its digest.
    case wholeMismatch([Origin])
}

/// The destination of a relay's bytes: a response or a file. Called on the relay's loop.
package protocol ResponseSink: AnyObject, Sendable {
    /// The relay can serve: the head of the response may be sent. Called at most once, before any `write`.
    func relayCommitted()
    /// Writes the next slabs. `taken` is called on any thread, for each slab in order: with the number of bytes once Baton has
    /// passed them on, or with nil if neither it nor later slabs can be delivered.
    func write(_ slabs: [ByteBuffer], taken: @escaping @Sendable (_ bytes: Int64?) -> Void)
    /// The relay has ended; nothing is called afterwards.
    func relayEnded(_ summary: RelaySummary)
}
