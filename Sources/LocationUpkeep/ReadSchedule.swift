import FoundationEssentials

/// When locations are read again without anybody asking.
package struct ReadSchedule: Sendable, Equatable {
    /// From a quarantine to the first read that may lift it; the second comes after six times that, further ones after 24 times.
    package let recheck: Duration
    /// From a scrub that missed an object to the next.
    package let missInterval: Duration
    /// From a verification to the scrub that renews it; nil for no scrubs.
    package let scrubInterval: Duration?

    /// So often, within a day, scrubs must miss an object before it counts as gone.
    static let missLimit = 3

    /// A schedule with every property given.
    package init(recheck: Duration, missInterval: Duration, scrubInterval: Duration?) {
        self.recheck = recheck
        self.missInterval = missInterval
        self.scrubInterval = scrubInterval
    }

    /// When a quarantined location is read again.
    /// - Parameter failedReads: how many reads have quarantined it before.
    func recheck(after failedReads: Int, from time: Date) -> Date {
        let factor = failedReads <= 0 ? 1 : failedReads == 1 ? 6 : 24
        return time + (recheck * factor).timeInterval
    }

    /// When a location is read again that could not be read: half a minute, doubling up to an hour.
    func retry(after failedReads: Int, from time: Date) -> Date {
        time + min(30 * Double(1 << min(max(failedReads, 0), 12)), 3600)
    }

    /// When a location that was not found is looked for again.
    func nextLook(from time: Date) -> Date { time + missInterval.timeInterval }
}

extension Duration {
    var timeInterval: TimeInterval { self / .seconds(1) }
}
