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
