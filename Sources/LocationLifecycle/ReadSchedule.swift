package import FoundationEssentials

/// The schedule of maintenance reads.
package struct ReadSchedule: Sendable, Equatable {
    /// The time from a quarantine to the first read that may lift it; the second follows after six times that, further ones
    /// after 24 times.
    package let recheck: Duration
    /// The time from a scrub that missed an object to the next.
    package let missInterval: Duration
    /// The time from a verification to the scrub that renews it; nil for no scrubs.
    package let scrubInterval: Duration?

    /// The number of misses by scrubs within a day after which an object counts as gone.
    package static let missLimit = 3

    package init(recheck: Duration, missInterval: Duration, scrubInterval: Duration?) {
        self.recheck = recheck
        self.missInterval = missInterval
        self.scrubInterval = scrubInterval
    }

    /// The time of the next read of a quarantined location.
    /// - Parameter failedReads: the number of reads that have quarantined it before.
    package func recheck(after failedReads: Int, from time: Date) -> Date {
        let factor = failedReads <= 0 ? 1 : failedReads == 1 ? 6 : 24
        return time + (recheck * factor).timeInterval
    }

    /// The time of the next read after a failure: half a minute, doubling up to an hour.
    package func retry(after failedReads: Int, from time: Date) -> Date {
        time + min(30 * Double(1 << min(max(failedReads, 0), 12)), 3600)
    }

    /// The time of the next read after a miss.
    package func nextLook(from time: Date) -> Date { time + missInterval.timeInterval }
}

extension Duration {
    /// The duration in seconds.
    package var timeInterval: TimeInterval { self / .seconds(1) }
}
