package import FoundationEssentials

/// Points in time as tokens have them: `2026-09-01T10:00:00Z`, or with a fraction as Keystone writes it, which is dropped.
package enum UTCTime {
    /// The point in time; nil if the text is none.
    package static func parse(_ text: some StringProtocol) -> Date? {
        guard text.hasSuffix("Z") else { return nil }
        let seconds = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if seconds.count == 2, seconds[1].isEmpty || !seconds[1].allSatisfy(\.isNumber) { return nil }
        return seconds.first.flatMap { try? Date("\($0)Z", strategy: .iso8601) }
    }
}
