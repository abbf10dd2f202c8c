package import BackendKit
package import FoundationEssentials
import ImageModel

/// A location's failure that a download met.
package struct LastFailure: Sendable, Equatable {
    /// When.
    package let time: Date
    /// Why, in the store's words where it had some.
    package let failure: AttemptFailure
}

/// How each location failed last, for whoever wants to know why a download went elsewhere; the latest so many.
struct LastFailures: Sendable {
    private let limit: Int
    private var failures: [LocationID: LastFailure] = [:]

    init(limit: Int = 10_000) { self.limit = limit }

    subscript(location: LocationID) -> LastFailure? { failures[location] }

    mutating func record(_ failure: AttemptFailure, of location: LocationID, at time: Date) {
        failures[location] = LastFailure(time: time, failure: failure)
        // Half at once, so that a flood of failures does not search for the oldest at each of them.
        guard failures.count > limit else { return }
        let kept = failures.sorted { $0.value.time > $1.value.time }.prefix(limit / 2)
        failures = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
