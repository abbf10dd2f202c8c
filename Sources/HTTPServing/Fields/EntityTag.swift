import Glibc
import Synchronization

/// Comparisons of entity tags for conditional requests (RFC 9110 sections 8.8.3.2 and 13.1).
package enum EntityTag {
    /// Whether an `If-None-Match` field, a list or `*`, names `tag` by weak comparison.
    package static func matches(_ field: String, _ tag: String) -> Bool {
        items(of: field).contains { $0 == "*" || ($0.hasPrefix("W/") ? $0.dropFirst(2) : $0) == tag }
    }

    /// Whether an `If-Match` field, a list or `*`, names `tag` by strong comparison.
    package static func matchesStrongly(_ field: String, _ tag: String) -> Bool {
        items(of: field).contains { $0 == "*" || $0 == tag }
    }

    /// Splitting at commas is safe: no tag of this server contains one.
    private static func items(of field: String) -> [Substring] {
        field.split(separator: ",").map { item in
            var text = item.drop { $0 == " " || $0 == "\t" }
            while text.last == " " || text.last == "\t" { text = text.dropLast() }
            return text
        }
    }

    /// Whether an `If-Range` field permits a range of the representation with `tag`, by strong comparison. A date never does,
    /// because representations have none.
    package static func permitsRange(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return true }
        return field == tag
    }
}

/// The value of the `Date` field (RFC 9110 section 5.6.7), formatted once a second.
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let latest = Mutex<(second: time_t, text: String)>((-1, ""))

    /// The current date.
    static var now: String {
        let second = time(nil)
        return latest.withLock { latest in
            if latest.second != second { latest = (second, text(of: second)) }
            return latest.text
        }
    }

    /// The date of a time in seconds since 1970.
    static func text(of second: time_t) -> String {
        var (second, parts) = (second, tm())
        gmtime_r(&second, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(1900 + Int(parts.tm_year)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}
