package import FoundationEssentials

/// Times in the notation of tokens: `2026-09-01T10:00:00Z`. A fraction, which Keystone writes, is dropped.
package enum UTCTime {
    /// Parses a time; nil if the text is none.
    package static func parse(_ text: some StringProtocol) -> Date? {
        guard text.hasSuffix("Z") else { return nil }
        let seconds = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if seconds.count == 2, seconds[1].isEmpty || !seconds[1].allSatisfy(\.isNumber) { return nil }
        return seconds.first.flatMap { try? Date("\($0)Z", strategy: .iso8601) }
    }
}
