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
