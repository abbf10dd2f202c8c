package import BackendKit
package import FoundationEssentials
import ImageModel

/// A failure of a location in a download.
package struct LastFailure: Sendable, Equatable {
    package let time: Date
    /// The failure, with the server's own message if it sent one.
    package let failure: AttemptFailure
}

/// The last failure of each location, for explanations of why a download avoided it; limited to the latest ones.
struct LastFailures: Sendable {
    private let limit: Int
    private var failures: [LocationID: LastFailure] = [:]

    init(limit: Int = 10_000) { self.limit = limit }

    subscript(location: LocationID) -> LastFailure? { failures[location] }

    mutating func record(_ failure: AttemptFailure, of location: LocationID, at time: Date) {
        failures[location] = LastFailure(time: time, failure: failure)
        // Removes half at once, so that a flood of failures does not search for the oldest entry each time.
        guard failures.count > limit else { return }
        let kept = failures.sorted { $0.value.time > $1.value.time }.prefix(limit / 2)
        failures = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
