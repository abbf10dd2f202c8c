/// The format of Virtual PC: a footer of 512 bytes after the disk, with a copy at the beginning unless the disk is fixed.
/// Numbers are big-endian.
enum VHD {
    private enum Offset {
        static let type = 60
        static let checksum = 64
    }
    private static let length = 512
    /// The lengths of footers, which were a byte shorter before 2004.
    private static let lengths = [length, length - 1]

    static func isVHD(_ head: [UInt8]) -> Bool { head.has("conectix") }

    /// Whether a fixed disk ends with a footer.
    /// - Parameter isDeclared: whether the image is declared as a VHD. Otherwise the footer's checksum must match as well.
    static func isFixed(_ tail: [UInt8], isDeclared: Bool) -> Bool {
        footers(tail).contains { isDeclared || $0.bigEndian(UInt32.self, at: Offset.checksum) == checksum(of: $0) }
    }

    static func hazard(_ head: [UInt8], tail: [UInt8]) -> FormatRefusal.Hazard? {
        var all = footers(tail)
        if isVHD(head) { all.append(head) }
        for footer in all {
            switch footer.bigEndian(UInt32.self, at: Offset.type) {
            case 2, 3: continue  // of full size; growing
            case 4: return .parent
            case nil: return .damaged
            default: return .unsafeType
            }
        }
        return nil
    }

    private static func footers(_ tail: [UInt8]) -> [[UInt8]] {
        lengths.filter { $0 <= tail.count }.map { Array(tail.suffix($0)) }.filter(isVHD)
    }

    /// The complement of the sum of all bytes except the checksum's own.
    private static func checksum(of footer: [UInt8]) -> UInt32 {
        let own = Offset.checksum..<Offset.checksum + 4
        return ~footer.indices.lazy.filter { !own.contains($0) }.reduce(0) { $0 &+ UInt32(footer[$1]) }
    }
}
