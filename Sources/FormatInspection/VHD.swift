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

/// VirtualBox's format. Numbers are little-endian.
enum VDI {
    private enum Offset {
        static let signature = 0x40
        static let version = 0x44
        static let type = 0x4C
        /// The UUIDs of the image that this one is a difference to, 16 bytes each.
        static let parents = 0x1A8..<0x1C8
    }

    static func isVDI(_ head: [UInt8]) -> Bool { head.littleEndian(UInt32.self, at: Offset.signature) == 0xBEDA_107F }

    static func hazard(_ head: [UInt8]) -> FormatRefusal.Hazard? {
        guard let version = head.littleEndian(UInt32.self, at: Offset.version),
            let type = head.littleEndian(UInt32.self, at: Offset.type), head.count >= Offset.parents.upperBound
        else { return .damaged }
        guard version >> 16 == 1 else { return .unknownVersion }
        // Type 1 is dynamic and type 2 fixed; types 3 and 4 are differences.
        if type == 3 || type == 4 { return .parent }
        guard type == 1 || type == 2 else { return .unsafeType }
        return head[Offset.parents].allSatisfy { $0 == 0 } ? nil : .parent
    }
}

/// ISO 9660 and UDF. The first 32 KiB are reserved for a boot loader, including a partition table.
enum ISO {
    /// The offset of the identifier, after the type of the first volume descriptor.
    private static let identifier = 0x8001

    static func isISO(_ head: [UInt8]) -> Bool {
        head.has("CD001", at: identifier) || head.has("BEA01", at: identifier) || head.has("NSR02", at: identifier)
            || head.has("NSR03", at: identifier)
    }
}

/// QEMU's format (docs/interop/qcow2.rst of QEMU). Numbers are big-endian.
enum Qcow2 {
    /// The magic number: "QFI" and 0xFB.
    static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xFB]

    private enum Offset {
        static let version = 4
        static let backingFile = 8
        static let incompatibleFeatures = 72
    }

    private enum Feature {
        static let dataFile: UInt64 = 1 << 2
        /// Dirty, corrupt, a compression type, extended L2 entries: features without references outside of the file.
        static let harmless: UInt64 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4
    }

    static func isQcow(_ head: [UInt8]) -> Bool { head.starts(with: magic) }

    /// Whether the format is qcow, the predecessor of qcow2 with the same magic number.
    static func isVersion1(_ head: [UInt8]) -> Bool { head.bigEndian(UInt32.self, at: Offset.version) == 1 }

    static func hazard(_ head: [UInt8]) -> FormatRefusal.Hazard? {
        guard let version = head.bigEndian(UInt32.self, at: Offset.version),
            let backingFile = head.bigEndian(UInt64.self, at: Offset.backingFile)
        else { return .damaged }
        guard version == 2 || version == 3 else { return .unknownVersion }
        guard backingFile == 0 else { return .backingFile }
        guard version == 3 else { return head.count < 72 ? .damaged : nil }
        guard let features = head.bigEndian(UInt64.self, at: Offset.incompatibleFeatures), head.count >= 104 else {
            return .damaged
        }
        if features & Feature.dataFile != 0 { return .dataFile }
        return features & ~Feature.harmless == 0 ? nil : .unknownFeatures
    }
}
