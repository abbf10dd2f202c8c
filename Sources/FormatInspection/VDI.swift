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
