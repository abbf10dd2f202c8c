import FoundationEssentials
import Glibc

/// A time in the notation of signatures: ISO 8601 basic format, in UTC, to the second.
struct SigningTime: Equatable {
    /// The time, for example `20130524T000000Z`.
    let stamp: String

    /// The day, for example `20130524`.
    var day: String { String(stamp.prefix(8)) }

    init(_ date: Date) {
        var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        stamp =
            padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1) + padded(parts.tm_mday) + "T" + padded(parts.tm_hour)
            + padded(parts.tm_min) + padded(parts.tm_sec) + "Z"
    }
}
