import ImageModel
import Testing

@testable import FormatInspection

@Suite struct FormatInspectorTests {
    /// The result of an inspection of the bytes, split into pieces of one size.
    private func refusal(
        _ image: HandmadeImage, _ disk: DiskFormat, in container: ContainerFormat = .bare, piece: Int = 16_384
    ) -> FormatRefusal? {
        var inspector = FormatInspector(declared: Format(disk: disk, container: container))
        feed(image.bytes[...], to: &inspector, piece: piece)
        return inspector.finish()
    }

    private func feed(_ bytes: ArraySlice<UInt8>, to inspector: inout FormatInspector, piece: Int) {
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: piece) {
            bytes[start..<min(start + piece, bytes.endIndex)].withUnsafeBytes { inspector.update($0) }
        }
    }

    static let soundImages: [(String, HandmadeImage, DiskFormat)] = [
        ("empty raw", HandmadeImage(size: 0), .raw), ("raw", .raw, .raw),
        ("MBR", HandmadeImage.raw.with([0x55, 0xAA], at: 510), .raw),
        ("GPT", HandmadeImage.raw.with([0x55, 0xAA], at: 510).with("EFI PART", at: 512), .raw),
        ("ISO on a disk", .iso, .raw), ("a kernel", HandmadeImage.raw.with("MZ", at: 0), .aki), ("ramdisk", .raw, .ari),
        ("machine image", .raw, .ami), ("ploop", HandmadeImage.raw.with("WithouFreSpacExt", at: 0), .ploop),
        ("qcow2 version 2", .qcow2(version: 2), .qcow2), ("qcow2 version 3", .qcow2(), .qcow2),
        ("qcow2, harmless features", HandmadeImage.qcow2().big(0b11011 as UInt64, at: 72), .qcow2),
        ("qcow2 with CD001 where an ISO has it", HandmadeImage.qcow2().with("CD001", at: 0x8001), .qcow2),
        ("qcow2 with a VHD's footer last", HandmadeImage.qcow2().with(HandmadeImage.footer(type: 2).bytes, at: 69_488), .qcow2),
        ("VDI growing", .vdi(), .vdi), ("VDI of full size", .vdi(type: 2), .vdi), ("VHD growing", .vhd(), .vhd),
        ("VHD of full size", .fixedVHD, .vhd),
        ("VHD of full size without a checksum", HandmadeImage.fixedVHD.big(0 as UInt32, at: 69_488 + 64), .vhd),
        ("VHD with the old footer", HandmadeImage.fixedVHD.cut(to: 69_999), .vhd),
        ("VMDK", .vmdk(), .vmdk), ("VMDK stream", .streamVMDK(), .vmdk), ("VHDX", .vhdx(), .vhdx), ("ISO", .iso, .iso),
        ("hybrid ISO", HandmadeImage.iso.with([0x55, 0xAA], at: 510).with("EFI PART", at: 512), .iso),
        ("UDF", HandmadeImage.iso.with("BEA01", at: 0x8001), .iso),
    ]

    @Test("A sound image is accepted under its own format", arguments: soundImages)
    func sound(name: String, image: HandmadeImage, disk: DiskFormat) {
        #expect(refusal(image, disk) == nil)
    }

    static let images: [(DetectedFormat, HandmadeImage)] = [
        (.qcow, .qcow2(version: 1)), (.qcow2, .qcow2(version: 2)), (.qcow2, .qcow2()),
        (.qcow2, HandmadeImage.qcow2().cut(to: 4)),
        (.qed, HandmadeImage.raw.with("QED\0", at: 0)), (.vmdk, .vmdk()), (.vmdk, HandmadeImage.raw.with("COWD", at: 0)),
        (.vmdk, .streamVMDK()), (.vhd, .vhd()), (.vhd, .fixedVHD), (.vhdx, .vhdx()), (.vdi, .vdi()), (.iso, .iso),
    ]

    @Test("No image passes under another format, except for an ISO declared as raw", arguments: images)
    func disguised(found: DetectedFormat, image: HandmadeImage) {
        for disk in DiskFormat.allCases where disk.rawValue != found.rawValue && !(disk == .raw && found == .iso) {
            // An image that is no ISO has no volume descriptor, whatever else it is.
            #expect(refusal(image, disk) == .mismatch(declared: disk, found: found), "\(disk)")
        }
    }

    @Test("Bytes without a known header are refused for a format that requires one", arguments: DiskFormat.allCases)
    func unrecognized(disk: DiskFormat) {
        let isFree = [.raw, .ami, .ari, .aki, .ploop].contains(disk)
        for image in [HandmadeImage.raw, HandmadeImage(size: 0), HandmadeImage(size: 1), HandmadeImage(size: 511)] {
            #expect(refusal(image, disk) == (isFree ? nil : .mismatch(declared: disk, found: nil)))
        }
    }

    @Test("An ISO with another format's header in front of it is refused", arguments: images.filter { $0.0 != .iso })
    func ambiguous(found: DetectedFormat, image: HandmadeImage) {
        // A short one stays what it is, and a footer behind an ISO is where an ISO may end.
        guard image.bytes.count > 40_000, image.bytes != HandmadeImage.fixedVHD.bytes else { return }
        #expect(refusal(image.with("CD001", at: 0x8001), .iso) == .ambiguous(declared: .iso, found: found))
    }

    static func descriptor(_ changes: (String, String)...) -> HandmadeImage {
        .vmdk(changes.reduce(HandmadeImage.descriptor) { $0.replacing($1.0, with: $1.1) })
    }

    static let hazardousImages: [(String, HandmadeImage, DetectedFormat, FormatRefusal.Hazard)] = [
        ("backing file", HandmadeImage.qcow2().big(1 as UInt64, at: 8), .qcow2, .backingFile),
        ("backing file, version 2", HandmadeImage.qcow2(version: 2).big(104 as UInt64, at: 8), .qcow2, .backingFile),
        ("backing file far away", HandmadeImage.qcow2().big(1 << 63 as UInt64, at: 8), .qcow2, .backingFile),
        ("data file", HandmadeImage.qcow2().big(4 as UInt64, at: 72), .qcow2, .dataFile),
        ("data file among others", HandmadeImage.qcow2().big(0xFF as UInt64, at: 72), .qcow2, .dataFile),
        ("bit 5", HandmadeImage.qcow2().big(1 << 5 as UInt64, at: 72), .qcow2, .unknownFeatures),
        ("bit 63", HandmadeImage.qcow2().big(1 << 63 as UInt64, at: 72), .qcow2, .unknownFeatures),
        ("version 4", .qcow2(version: 4), .qcow2, .unknownVersion), ("version 0", .qcow2(version: 0), .qcow2, .unknownVersion),
        ("cut at 8", HandmadeImage.qcow2().cut(to: 8), .qcow2, .damaged),
        ("cut at 71", HandmadeImage.qcow2(version: 2).cut(to: 71), .qcow2, .damaged),
        ("cut at 103", HandmadeImage.qcow2().cut(to: 103), .qcow2, .damaged),
        ("VDI, undo", .vdi(type: 3), .vdi, .parent), ("VDI, difference", .vdi(type: 4), .vdi, .parent),
        ("VDI, type 0", .vdi(type: 0), .vdi, .unsafeType),
        ("VDI, link", HandmadeImage.vdi().with([1], at: 0x1A8), .vdi, .parent),
        ("VDI, parent", HandmadeImage.vdi().with([1], at: 0x1C7), .vdi, .parent),
        ("VDI, version 0", HandmadeImage.vdi().little(1 as UInt32, at: 0x44), .vdi, .unknownVersion),
        ("VDI, cut", HandmadeImage.vdi().cut(to: 0x1C7), .vdi, .damaged),
        ("VHD, difference", .vhd(type: 4), .vhd, .parent), ("VHD, type 6", .vhd(type: 6), .vhd, .unsafeType),
        (
            "VHD, difference in the footer alone",
            HandmadeImage.vhd().with(HandmadeImage.footer(type: 4).bytes, at: 69_488), .vhd, .parent
        ),
        (
            "VHD, difference in front alone", HandmadeImage.vhd().with(HandmadeImage.footer(type: 4).bytes, at: 0), .vhd,
            .parent
        ),
        ("VHD, cut", HandmadeImage.vhd().cut(to: 60), .vhd, .damaged),
        ("VHDX, flag", .vhdx(flags: 2), .vhdx, .parent), ("VHDX, flags", .vhdx(flags: 3), .vhdx, .parent),
        ("VHDX, locator", .vhdx(parent: true), .vhdx, .parent),
        ("VHDX, tables differ", HandmadeImage.vhdx().little(1 << 20 as UInt64, at: (256 << 10) + 32), .vhdx, .damaged),
        ("VHDX, no tables", HandmadeImage.vhdx().with("xxxx", at: 192 << 10).with("xxxx", at: 256 << 10), .vhdx, .damaged),
        ("VHDX, too many regions", HandmadeImage.vhdx().little(2048 as UInt32, at: (192 << 10) + 8), .vhdx, .damaged),
        ("VHDX, metadata in front", .vhdx(metadataAt: 400 << 10), .vhdx, .damaged),
        ("VHDX, metadata behind the end", HandmadeImage.vhdx().cut(to: 2 << 20), .vhdx, .damaged),
        ("VHDX, no metadata", HandmadeImage.vhdx().with("x", at: 2 << 20), .vhdx, .damaged),
        ("VHDX, item inside of the table", HandmadeImage.vhdx().little(64 as UInt32, at: (2 << 20) + 48), .vhdx, .damaged),
        ("VHDX, too many items", HandmadeImage.vhdx().little(2048 as UInt16, at: (2 << 20) + 10), .vhdx, .damaged),
        ("VMDK, flat", descriptor(("monolithicSparse", "monolithicFlat")), .vmdk, .unsafeCreateType),
        ("VMDK, no type", descriptor(("createType", "created")), .vmdk, .noDescriptor),
        ("VMDK, two types", descriptor(("CID=0d", "createType=\"vmfs\"\nCID=0d")), .vmdk, .unsafeCreateType),
        ("VMDK, type in a comment", descriptor(("# Extent", "# createType=\"custom\"")), .vmdk, .unsafeCreateType),
        ("VMDK, path", descriptor(("disk.vmdk", "/etc/shadow")), .vmdk, .externalExtents),
        ("VMDK, path of Windows", descriptor(("disk.vmdk", "..\\shadow")), .vmdk, .externalExtents),
        ("VMDK, flat extent", descriptor(("SPARSE", "FLAT")), .vmdk, .externalExtents),
        (
            "VMDK, second extent", descriptor(("# The Disk", "RW 2048 SPARSE \"other.vmdk\"\n# The Disk")), .vmdk,
            .externalExtents
        ),
        ("VMDK, no extent", descriptor(("RW 2048", "# RW 2048")), .vmdk, .noDescriptor),
        ("VMDK, another line", descriptor(("# The Disk", "include me\n# The Disk")), .vmdk, .noDescriptor),
        ("VMDK, parent", descriptor(("parentCID=ffffffff", "parentCID=0d7b1e4d")), .vmdk, .parent),
        (
            "VMDK, parent's name", descriptor(("# The Disk", "parentFileNameHint=\"/etc/shadow\"\n# The Disk")), .vmdk, .parent
        ),
        ("VMDK, parent's name in a comment", descriptor(("# The Disk", "#PARENTFILENAMEHINT=\"x\"\n#")), .vmdk, .parent),
        (
            "VMDK, parent's name with a mark", descriptor(("# The Disk", "# parentFileNameHint\u{300}/etc/shadow\"\n#")), .vmdk,
            .parent
        ),
        ("VMDK, parent with a mark", descriptor(("# The Disk", "parentCID\u{300}=0d7b1e4d\n#")), .vmdk, .parent),
        (
            "VMDK, second type with a mark", descriptor(("CID=0d", "createType\u{300}=\"vmfs\"\nCID=0d")), .vmdk,
            .unsafeCreateType
        ),
        ("VMDK, path with a mark", descriptor(("disk.vmdk", "/\u{301}/shadow")), .vmdk, .externalExtents),
        ("VMDK, path of Windows with a mark", descriptor(("disk.vmdk", "\\\u{301}shadow")), .vmdk, .externalExtents),
        ("VMDK, no capacity", HandmadeImage.vmdk().little(0 as UInt64, at: 12), .vmdk, .externalExtents),
        ("VMDK, version 4", HandmadeImage.vmdk().little(4 as UInt32, at: 4), .vmdk, .unknownVersion),
        ("VMDK, no descriptor", HandmadeImage.vmdk().little(0 as UInt64, at: 28), .vmdk, .noDescriptor),
        ("VMDK, descriptor elsewhere", HandmadeImage.vmdk().little(2 as UInt64, at: 28), .vmdk, .noDescriptor),
        ("VMDK, large descriptor", .vmdk(sectors: 129), .vmdk, .noDescriptor),
        ("VMDK, descriptor of no sector", .vmdk(sectors: 0), .vmdk, .noDescriptor),
        ("VMDK, huge descriptor", .vmdk(sectors: .max), .vmdk, .noDescriptor),
        ("VMDK, cut", HandmadeImage.vmdk().cut(to: 5000), .vmdk, .damaged),
        ("VMDK, cut header", HandmadeImage.vmdk().cut(to: 60), .vmdk, .damaged),
        ("VMDK, no footer", HandmadeImage.vmdk().little(UInt64.max, at: 56), .vmdk, .footer),
        (
            "VMDK, another descriptor in the footer", HandmadeImage.streamVMDK().little(9 as UInt64, at: 68_976 + 28), .vmdk,
            .footer
        ),
        ("VMDK, no capacity in the footer", HandmadeImage.streamVMDK().little(0 as UInt64, at: 68_976 + 12), .vmdk, .footer),
        ("VMDK, footer of a footer", HandmadeImage.streamVMDK().little(UInt64.max, at: 68_976 + 56), .vmdk, .footer),
        ("VMDK, bytes behind the footer", HandmadeImage.streamVMDK().with([1], at: 69_999), .vmdk, .footer),
    ]

    @Test(
        "An image that refers to other files or is not known to be safe is refused in every container",
        arguments: hazardousImages)
    func hazards(name: String, image: HandmadeImage, format: DetectedFormat, hazard: FormatRefusal.Hazard) throws {
        let disk = try #require(DiskFormat(rawValue: format.rawValue))
        #expect(refusal(image, disk) == .hazard(format, hazard))
        #expect(refusal(image, disk, in: .ovf) == .hazard(format, hazard))
        #expect(refusal(image, .raw, in: .ova) == .hazard(format, hazard))
        #expect(refusal(image, .raw) == .mismatch(declared: .raw, found: format))
    }

    @Test("In a container other than bare, the bytes need not be of the disk format")
    func otherContainers() {
        for container in ContainerFormat.allCases where container != .bare {
            for disk in DiskFormat.allCases { #expect(refusal(.raw, disk, in: container) == nil) }
        }
    }

    @Test(
        "A VMDK descriptor by itself is detected as VMDK",
        arguments: [
            HandmadeImage.descriptor, "# disk descriptorfile\nCID=1", "# note\n\n  \r\n#\nversion=2\n", "version=1\r\n",
            "CID=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/etc/shadow\" 0\n", "# Disk DescriptorFile\u{300}\nCID=1",
            "CID=1\n# \u{e4}\ncreateType\u{300}=\"monolithicFlat\"\nRW 1 FLAT \"/etc/shadow\" 0\n",
        ])
    func textDescriptor(text: String) {
        let image = HandmadeImage(size: text.utf8.count).with(text, at: 0)
        #expect(refusal(image, .raw) == .mismatch(declared: .raw, found: .vmdk))
        #expect(refusal(image, .vmdk) == .hazard(.vmdk, .unsafeCreateType))
    }

    @Test(
        "Text that is no VMDK descriptor is accepted as raw",
        arguments: ["#!/bin/sh\nversion=1.2\nexit\n", "version: 1\n", "hello", "\n\n"])
    func otherText(text: String) {
        let image = HandmadeImage(size: text.utf8.count).with(text, at: 0)
        #expect(refusal(image, .raw) == nil)
    }

    @Test("Keywords of a descriptor are case-insensitive and may stand apart from their values")
    func spelling() {
        #expect(refusal(Self.descriptor(("# The Disk", "# \u{e4}\u{300} \u{1F4BF}\n#")), .vmdk) == nil, "text of any language")
        #expect(refusal(Self.descriptor(("createType=", "CREATETYPE = "), ("RW", "rw"), ("SPARSE", "Sparse")), .vmdk) == nil)
        #expect(refusal(.vmdk(HandmadeImage.descriptor.replacing("\n", with: "\r\n")), .vmdk) == nil)
    }

    private static let varied: [HandmadeImage] = [.raw, .iso, .fixedVHD, .vhd(), .streamVMDK(), .qcow2(), .vdi(type: 4)]

    @Test("The result of an inspection does not depend on how the bytes are split", arguments: DiskFormat.allCases)
    func pieces(disk: DiskFormat) {
        for image in Self.varied + [.vhdx(), .vhdx(parent: true), .vhdx(flags: 2)] {
            let whole = refusal(image, disk, piece: image.bytes.count)
            for piece in [7_919, 65_536, 327_680, 327_681] { #expect(refusal(image, disk, piece: piece) == whole) }
        }
        for image in Self.varied { #expect(refusal(image, disk, piece: 113) == refusal(image, disk)) }
    }

    @Test("An inspection continues from its snapshot")
    func snapshots() throws {
        for image in [HandmadeImage.streamVMDK(), .fixedVHD, .iso, .vhdx(), .vhdx(parent: true), .vhdx(flags: 2), .qcow2()] {
            for cut in [0, 1, 511, 33_000, 66_047, 66_048, 69_000, 200 << 10, 320 << 10, (2 << 20) + 9, (2 << 20) + 65_539] {
                let declared = Format(disk: .vhdx, container: .bare)
                var uncut = FormatInspector(declared: declared)
                let split = min(cut, image.bytes.count)
                feed(image.bytes[..<split], to: &uncut, piece: 10_007)
                var resumed = try #require(FormatInspector(snapshot: uncut.snapshot, declared: declared))
                #expect(resumed == uncut && resumed.position == Int64(split))
                feed(image.bytes[split...], to: &uncut, piece: 65_536)
                feed(image.bytes[split...], to: &resumed, piece: 9_001)
                #expect(resumed == uncut && resumed.finish() == refusal(image, .vhdx))
            }
        }
    }

    @Test("A damaged snapshot is rejected")
    func damagedSnapshots() {
        var inspector = FormatInspector(declared: Format(disk: .vhdx, container: .bare))
        feed(HandmadeImage.vhdx().bytes[...], to: &inspector, piece: 65_536)
        let snapshot = inspector.snapshot
        for count in [0, 7, 8, 16, 100, snapshot.count - 1] {
            #expect(
                FormatInspector(snapshot: Array(snapshot.prefix(count)), declared: Format(disk: .raw, container: .bare)) == nil)
        }
        #expect(FormatInspector(snapshot: snapshot + [0], declared: Format(disk: .raw, container: .bare)) == nil)
    }

    @Test("The memory of an inspection does not grow with the image")
    func memory() {
        for image in [HandmadeImage.vhdx(), .vmdk()] {
            var inspector = FormatInspector(declared: Format(disk: .vhdx, container: .bare))
            feed(image.bytes[...], to: &inspector, piece: 65_536)
            let block = [UInt8](repeating: 0, count: 1 << 20)
            for _ in 0..<20 { feed(block[...], to: &inspector, piece: 1 << 20) }
            #expect(inspector.snapshot.count < 300 << 10)
        }
    }

    @Test("Each refusal is one sentence that says what to do")
    func sentences() {
        for refusal in [
            FormatRefusal.mismatch(declared: .raw, found: .qcow2), .mismatch(declared: .qcow2, found: nil),
            .ambiguous(declared: .iso, found: .qcow2),
        ] + FormatRefusal.Hazard.allCases.map({ .hazard(.vmdk, $0) }) {
            #expect(refusal.description.hasPrefix("The ") && refusal.description.hasSuffix("."))
            #expect(refusal.description.contains("convert") && !refusal.description.dropLast().contains(". "))
        }
    }
}
