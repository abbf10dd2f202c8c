/// VMware's format. Only kinds that consist of one file with an embedded descriptor are safe: a descriptor can name any other
/// file as an extent or a parent. Numbers are little-endian; positions count sectors of 512 bytes.
enum VMDK {
    /// The offset of the embedded descriptor.
    static let descriptorOffset = 512
    /// The largest embedded descriptor in bytes; usual ones have 20 sectors.
    static let maximumDescriptor = 64 << 10

    private enum Offset {
        static let version = 4
        static let capacity = 12
        static let descriptor = 28
        static let descriptorSize = 36
        static let directory = 56
        static let end = 79
    }
    /// The value of the header's directory offset if the footer contains the actual one.
    private static let atEnd = UInt64.max

    static func isVMDK(_ head: [UInt8]) -> Bool {
        head.has("KDMV") || head.has("COWD") || VMDKDescriptor.isDescriptor(head)
    }

    static func hazard(_ head: [UInt8], tail: [UInt8]) -> FormatRefusal.Hazard? {
        // COWD is an extent without a descriptor; a text descriptor names its extents.
        guard head.has("KDMV") else { return .unsafeCreateType }
        guard head.count >= Offset.end, let header = Header(head) else { return .damaged }
        guard (1...3).contains(header.version) else { return .unknownVersion }
        // Readers take a file without a capacity for a descriptor with its own extents.
        guard header.capacity > 0 else { return .externalExtents }
        guard header.descriptor == 1, (1...UInt64(maximumDescriptor / 512)).contains(header.descriptorSize) else {
            return .noDescriptor
        }
        if header.directory == atEnd, !hasFooter(tail, like: header) { return .footer }
        let end = descriptorOffset + Int(header.descriptorSize) * 512
        guard head.count >= end else { return .damaged }
        return VMDKDescriptor(head[descriptorOffset..<end]).hazard
    }

    private struct Header {
        let version: UInt32
        let capacity: UInt64
        let descriptor: UInt64
        let descriptorSize: UInt64
        let directory: UInt64

        init?(_ bytes: [UInt8]) {
            guard let version = bytes.littleEndian(UInt32.self, at: Offset.version),
                let capacity = bytes.littleEndian(UInt64.self, at: Offset.capacity),
                let descriptor = bytes.littleEndian(UInt64.self, at: Offset.descriptor),
                let descriptorSize = bytes.littleEndian(UInt64.self, at: Offset.descriptorSize),
                let directory = bytes.littleEndian(UInt64.self, at: Offset.directory)
            else { return nil }
            self.version = version
            self.capacity = capacity
            self.descriptor = descriptor
            self.descriptorSize = descriptorSize
            self.directory = directory
        }
    }

    /// Whether the last three sectors are a marker, a footer and a marker. Readers use the footer if the header refers to it.
    private static func hasFooter(_ tail: [UInt8], like header: Header) -> Bool {
        guard tail.count == Tail.length else { return false }
        let footer = Array(tail[512..<1024])
        guard footer.has("KDMV"), let copy = Header(footer), copy.directory != atEnd else { return false }
        guard copy.version == header.version, copy.capacity == header.capacity, copy.descriptor == header.descriptor,
            copy.descriptorSize == header.descriptorSize
        else { return false }
        let isMarker = tail.littleEndian(UInt32.self, at: 8) == 0 && tail.littleEndian(UInt32.self, at: 12) == 3
        return isMarker && tail[1024...].allSatisfy { $0 == 0 }
    }
}
