/// A number of bytes in the notation of a command line: `4096`, `10M`, `1.5GiB`, `500kB`.
package struct ByteAmount: Sendable, Equatable {
    package let count: Int64

    /// The accepted notation, for an error message.
    package static let advice =
        "write a number of bytes, for example 4096, 500K, 10M, 1.5G or 64MiB (kB, MB and GB are powers of 1000)"

    /// Parses an amount; nil if the text is not one, or if it exceeds `Int64`.
    ///
    /// K, M, G, T and P are powers of 1024, alone or before iB. Before B they are powers of 1000, as in the GNU tools.
    package init?(_ text: String) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let factor = Self.factor(of: text.dropFirst(number.count).lowercased()) else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]) else { return nil }
        var (count, overflows) = whole.multipliedReportingOverflow(by: factor)
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count), let digits = Int64(parts[1]), factor > 1 else { return nil }
            let scale = (0..<parts[1].count).reduce(Int64(1)) { scale, _ in scale * 10 }
            let fraction = scale.dividingFullWidth(digits.multipliedFullWidth(by: factor)).quotient
            let (sum, isTooMuch) = count.addingReportingOverflow(fraction)
            (count, overflows) = (sum, overflows || isTooMuch)
        }
        guard !overflows else { return nil }
        self.count = count
    }

    private static func factor(of unit: String) -> Int64? {
        if unit.isEmpty || unit == "b" { return 1 }
        guard let letter = unit.first, let power = "kmgtp".firstIndex(of: letter) else { return nil }
        let exponent = "kmgtp".distance(from: "kmgtp".startIndex, to: power) + 1
        let base: Int64
        switch unit.dropFirst() {
        case "", "ib": base = 1024
        case "b": base = 1000
        default: return nil
        }
        return (0..<exponent).reduce(1) { product, _ in product * base }
    }
}

/// A limit on the bytes received since the start of a download. A value: the time is an argument.
struct RateLimit: Sendable {
    private let bytesPerSecond: Int64?
    private let started: ContinuousClock.Instant
    private var received: Int64 = 0

    /// - Parameter bytesPerSecond: nil for no limit.
    init(_ bytesPerSecond: Int64?, startedAt started: ContinuousClock.Instant) {
        self.bytesPerSecond = bytesPerSecond
        self.started = started
    }

    mutating func receive(_ count: Int64) { received += count }

    /// Whether more bytes have arrived than the limit allows.
    func isAhead(at now: ContinuousClock.Instant) -> Bool {
        guard let bytesPerSecond else { return false }
        return Double(received) > max(.zero, now - started) / .seconds(1) * Double(bytesPerSecond)
    }
}
