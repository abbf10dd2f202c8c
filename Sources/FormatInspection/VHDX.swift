/// The format of Hyper-V ([MS-VHDX]). Two region tables contain the offset of the metadata table, which contains the offsets of
/// its items. Numbers are little-endian.
enum VHDX {
    /// Both region tables, which are adjacent.
    static let tables = Region(at: 192 << 10, length: 2 * tableLength)
    /// The length of a region table and of the metadata table.
    private static let tableLength = 64 << 10
    private static let entryLength = 32
    private static let maximumEntries = 2047

    /// GUIDs in their byte order in the file.
    private enum GUID {
        /// 8B7CA206-4790-4B9A-B8FE-575F050F886E
        static let metadataRegion: [UInt8] = [
            0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E,
        ]
        /// CAA16737-FA36-4D43-B3B6-33F0AA44E76B
        static let fileParameters: [UInt8] = [
            0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B,
        ]
        /// A8D35F2D-B30B-454D-ABF7-D3D84834AB0C
        static let parentLocator: [UInt8] = [
            0x2D, 0x5F, 0xD3, 0xA8, 0x0B, 0xB3, 0x4D, 0x45, 0xAB, 0xF7, 0xD3, 0xD8, 0x48, 0x34, 0xAB, 0x0C,
        ]
    }

    static func isVHDX(_ head: [UInt8]) -> Bool { head.has("vhdxfile") }

    /// The region to keep after the last of these is complete; nil if there is none, or if the offset is invalid.
    static func region(after regions: [Region]) -> Region? {
        guard let last = regions.last else { return nil }
        switch regions.count {
        case 1: return metadataOffset(last.bytes).map { Region(at: $0, length: tableLength) }
        case 2:
            guard let item = fileParameters(last.bytes) else { return nil }
            return Region(at: last.offset + Int64(item), length: 8)
        default: return nil
        }
    }

    static func hazard(_ regions: [Region]) -> FormatRefusal.Hazard? {
        if regions.count > 1, items(regions[1].bytes).contains(where: { $0.name == GUID.parentLocator }) { return .parent }
        guard regions.count == 3, let flags = regions[2].bytes.littleEndian(UInt32.self, at: 4) else { return .damaged }
        // The flag `HasParent`.
        return flags & 2 == 0 ? nil : .parent
    }

    /// The offset of the metadata table. Readers differ in which of the two region tables they use, so both must agree.
    private static func metadataOffset(_ tables: [UInt8]) -> Int64? {
        var offsets: Set<UInt64> = []
        for table in [Array(tables.prefix(tableLength)), Array(tables.suffix(tableLength))] where table.has("regi") {
            guard let count = table.littleEndian(UInt32.self, at: 8), count <= maximumEntries else { return nil }
            for index in 0..<Int(count) {
                let entry = 16 + index * entryLength
                guard table[entry..<entry + 16].elementsEqual(GUID.metadataRegion) else { continue }
                guard let offset = table.littleEndian(UInt64.self, at: entry + 16) else { return nil }
                offsets.insert(offset)
            }
        }
        guard offsets.count == 1, let offset = offsets.first else { return nil }
        // Regions follow the header, which is the first MiB.
        guard offset >= 1 << 20, offset < 1 << 62 else { return nil }
        return Int64(offset)
    }

    private struct Item {
        let name: [UInt8]
        let offset: UInt32
    }

    private static func items(_ metadata: [UInt8]) -> [Item] {
        guard metadata.has("metadata"), let count = metadata.littleEndian(UInt16.self, at: 10), count <= maximumEntries else {
            return []
        }
        return (0..<Int(count)).compactMap { index in
            let entry = (index + 1) * entryLength
            guard let offset = metadata.littleEndian(UInt32.self, at: entry + 16) else { return nil }
            return Item(name: Array(metadata[entry..<entry + 16]), offset: offset)
        }
    }

    /// The offset of the file parameters in the metadata; nil unless there is exactly one.
    private static func fileParameters(_ metadata: [UInt8]) -> UInt32? {
        let offsets = items(metadata).filter { $0.name == GUID.fileParameters }.map(\.offset)
        // Items follow the table.
        guard offsets.count == 1, let offset = offsets.first, offset >= tableLength else { return nil }
        return offset
    }
}
