package import BackendKit
package import ImageModel
package import LocationSelection

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
