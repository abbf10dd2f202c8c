package import ImageModel

/// Stops mass quarantine: a backend that suddenly serves nothing but wrong content is ill as a whole, and its locations are not
/// to be quarantined one by one.
package struct QuarantineLimit: Sendable {
    /// So many on one backend are allowed…
    package static let count = 3
    /// …within this time.
    package static let period: Duration = .seconds(600)

    private var times: [BackendID: [ContinuousClock.Instant]] = [:]

    /// Nobody has been quarantined yet.
    package init() {}

    /// Asks for one more.
    /// - Returns: false when the backend has had its share.
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
