/// A number of bytes in the notation of the configuration file.
package struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let count: Int

    package init(_ count: Int) { self.count = count }

    package static func kibibytes(_ number: Int) -> ByteCount { ByteCount(number << 10) }
    package static func mebibytes(_ number: Int) -> ByteCount { ByteCount(number << 20) }
    package static func gibibytes(_ number: Int) -> ByteCount { ByteCount(number << 30) }

    private static let units: [(suffix: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)]

    /// Parses a whole number with an optional unit: B, KiB, MiB or GiB; nil if the text is none.
    package init?(_ text: String) {
        let (suffix, shift) = Self.units.first { text.hasSuffix($0.suffix) } ?? ("", 0)
        guard let number = Int(text.dropLast(suffix.count)), number >= 0, number <= Int.max >> shift else { return nil }
        count = number << shift
    }

    /// The number in the largest unit that leaves no remainder, e.g. `512KiB`.
    package var description: String {
        let (suffix, shift) = Self.units.first { (count >> $0.shift) << $0.shift == count && count >> $0.shift > 0 } ?? ("B", 0)
        return "\(count >> shift)\(suffix)"
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.count < right.count }
}
