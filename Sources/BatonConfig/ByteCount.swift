/// A number of bytes as operators write it.
package struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    package let count: Int

    /// So many bytes.
    package init(_ count: Int) { self.count = count }

    /// So many times 1024 bytes.
    package static func kibibytes(_ number: Int) -> ByteCount { ByteCount(number << 10) }
    /// So many times 1024² bytes.
    package static func mebibytes(_ number: Int) -> ByteCount { ByteCount(number << 20) }
    /// So many times 1024³ bytes.
    package static func gibibytes(_ number: Int) -> ByteCount { ByteCount(number << 30) }

    private static let units: [(suffix: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)]

    /// The number that `text` spells: a whole number, and B, KiB, MiB or GiB if it is not bytes; nil when it spells none.
    package init?(_ text: String) {
        let (suffix, shift) = Self.units.first { text.hasSuffix($0.suffix) } ?? ("", 0)
        guard let number = Int(text.dropLast(suffix.count)), number >= 0, number <= Int.max >> shift else { return nil }
        count = number << shift
    }

    /// In the largest unit that leaves no remainder, e.g. `512KiB`.
    package var description: String {
        let (suffix, shift) = Self.units.first { (count >> $0.shift) << $0.shift == count && count >> $0.shift > 0 } ?? ("B", 0)
        return "\(count >> shift)\(suffix)"
    }

    /// By number.
    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.count < right.count }
}
