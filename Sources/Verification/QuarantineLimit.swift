package import ImageModel

/// Prevents mass quarantine. A backend that suddenly serves only wrong content has a problem as a whole, and its locations must
/// not be quarantined one by one.
package struct QuarantineLimit: Sendable {
    /// The number of quarantines allowed on one backend within `period`.
    package static let count = 3
    /// The time over which quarantines are counted.
    package static let period: Duration = .seconds(600)

    private var times: [BackendID: [ContinuousClock.Instant]] = [:]

    package init() {}

    /// Counts one more quarantine on the backend, if the limit allows it.
    /// - Returns: false if the backend has reached the limit.
    package mutating func allows(_ backend: BackendID, at now: ContinuousClock.Instant) -> Bool {
        let recent = (times[backend] ?? []).filter { now - $0 < Self.period }
        guard recent.count < Self.count else {
            times[backend] = recent
            return false
        }
        times[backend] = recent + [now]
        return true
    }
}
