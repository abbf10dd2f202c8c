import ImageModel

/// Images of few bytes, with exactly the fields that an inspection looks at.
struct HandmadeImage: Sendable {
    var bytes: [UInt8]

    init(size: Int) { bytes = [UInt8](repeating: 0, count: size) }

    func with(_ text: String, at offset: Int) -> Self { with(Array(text.utf8), at: offset) }

    func with(_ part: [UInt8], at offset: Int) -> Self {
        var image = self
        image.bytes.replaceSubrange(offset..<offset + part.count, with: part)
        return image
    }

    func big<Number: FixedWidthInteger>(_ number: Number, at offset: Int) -> Self {
        with(withUnsafeBytes(of: number.bigEndian) { Array($0) }, at: offset)
    }

    func little<Number: FixedWidthInteger>(_ number: Number, at offset: Int) -> Self {
        with(withUnsafeBytes(of: number.littleEndian) { Array($0) }, at: offset)
    }

    func cut(to size: Int) -> Self {
        var image = self
        image.bytes.removeLast(image.bytes.count - size)
        return image
    }

    static let raw = HandmadeImage(size: 70_000)

    static func qcow2(version: UInt32 = 3) -> Self {
        raw.with([0x51, 0x46, 0x49, 0xFB], at: 0).big(version, at: 4)
    }

    static let iso = HandmadeImage(size: 40_000).with([1], at: 0x8000).with("CD001", at: 0x8001)

    static func vdi(type: UInt32 = 1) -> Self {
        raw.with("<<< Oracle VM VirtualBox Disk Image >>>\n", at: 0).little(0xBEDA_107F as UInt32, at: 0x40)
            .little(0x0001_0001 as UInt32, at: 0x44).little(type, at: 0x4C)
    }

    /// A footer of 512 bytes.
    static func footer(type: UInt32) -> Self {
        let footer = HandmadeImage(size: 512).with("conectix", at: 0).big(type, at: 60)
        return footer.big(~footer.bytes.reduce(0) { $0 + UInt32($1) }, at: 64)
    }

    static func vhd(type: UInt32 = 3) -> Self {
        let footer = footer(type: type).bytes
        return raw.with(footer, at: 0).with(footer, at: 70_000 - 512)
    }

    static let fixedVHD = raw.with(footer(type: 2).bytes, at: 70_000 - 512)

    static let descriptor = """
        # Disk DescriptorFile
        version=1
        CID=0d7b1e4c
        parentCID=ffffffff
        createType="monolithicSparse"

        # Extent description
        RW 2048 SPARSE "disk.vmdk"

        # The Disk Data Base
        ddb.adapterType = "ide"
        """

    static func vmdk(_ descriptor: String = descriptor, sectors: UInt64 = 20) -> Self {
        raw.with("KDMV", at: 0).little(1 as UInt32, at: 4).little(2048 as UInt64, at: 12).little(1 as UInt64, at: 28)
            .little(sectors, at: 36).with(descriptor, at: 512)
    }

    /// One whose directory is found through the footer.
    static func streamVMDK() -> Self {
        let image = vmdk(descriptor.replacing("monolithicSparse", with: "streamOptimized")).little(UInt64.max, at: 56)
        let footer = Array(image.bytes.prefix(512))
        return image.little(1 as UInt64, at: 70_000 - 1536).little(3 as UInt32, at: 70_000 - 1524)
            .with(footer, at: 70_000 - 1024).little(77 as UInt64, at: 70_000 - 1024 + 56)
    }

    static func vhdx(metadataAt metadata: Int = 2 << 20, flags: UInt32 = 0, parent: Bool = false) -> Self {
        var image = HandmadeImage(size: 3 << 20).with("vhdxfile", at: 0)
        for table in [192 << 10, 256 << 10] {
            image = image.with("regi", at: table).little(1 as UInt32, at: table + 8)
                .with(
                    [0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E],
                    at: table + 16
                )
                .little(UInt64(metadata), at: table + 32)
        }
        image = image.with("metadata", at: metadata).little(parent ? 2 : 1 as UInt16, at: metadata + 10)
            .with(
                [0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B],
                at: metadata + 32
            )
            .little(65_536 as UInt32, at: metadata + 48).little(flags, at: metadata + 65_540)
        guard parent else { return image }
        return image.with(
            [0x2D, 0x5F, 0xD3, 0xA8, 0x0B, 0xB3, 0x4D, 0x45, 0xAB, 0xF7, 0xD3, 0xD8, 0x48, 0x34, 0xAB, 0x0C], at: metadata + 64)
    }
}
