package import ImageModel

/// Inspects an image's bytes as they are read. At the end it reports whether they have the declared format and refer to nothing
/// outside of themselves. It keeps only the few parts of the image that it needs, however large the image is, and its result
/// does not depend on how the bytes are split.
package struct FormatInspector: Sendable, Equatable {
    /// The kept length of the image's beginning: all headers, a VMDK's embedded descriptor, and the first volume descriptor of
    /// an ISO.
    static let headLength = VMDK.descriptorOffset + VMDK.maximumDescriptor

    private let declared: Format
    /// The number of bytes inspected so far.
    package private(set) var position: Int64
    private(set) var head: Region
    private(set) var tail: Tail
    /// Further regions, for VHDX only: its region tables, then its metadata table, then one of its items.
    private(set) var vhdx: [Region]

    /// - Parameter declared: the image's declared format.
    package init(declared: Format) {
        self.init(declared: declared, position: 0, head: Region(at: 0, length: Self.headLength), tail: Tail(), vhdx: [])
    }

    init(declared: Format, position: Int64, head: Region, tail: Tail, vhdx: [Region]) {
        self.declared = declared
        self.position = position
        self.head = head
        self.tail = tail
        self.vhdx = vhdx
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        head.take(bytes, at: position)
        tail.take(bytes)
        if vhdx.isEmpty, VHDX.isVHDX(head.bytes) { vhdx = [VHDX.tables] }
        followVHDX(bytes)
        position += Int64(bytes.count)
    }

    /// Adds the region that a complete region points to. It lies after that region, perhaps in these same bytes.
    private mutating func followVHDX(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < vhdx.count {
            if !vhdx[index].isComplete {
                vhdx[index].take(bytes, at: position)
                if vhdx[index].isComplete, let next = VHDX.region(after: vhdx) { vhdx.append(next) }
            }
            index += 1
        }
    }

    /// The refusal of the image after all its bytes were inspected; nil if it is acceptable.
    package func finish() -> FormatRefusal? {
        let found = detected
        // Another container holds an archive, or content that only the container's reader understands.
        if declared.container == .bare, let refusal = mismatch(found) { return refusal }
        return found.lazy.compactMap { format in hazard(of: format).map { .hazard(format, $0) } }.first
    }

    /// All detected formats, without those that a disk's content could imitate if another one is certain.
    var detected: [DetectedFormat] {
        var found: [DetectedFormat] = []
        if Qcow2.isQcow(head.bytes) { found.append(Qcow2.isVersion1(head.bytes) ? .qcow : .qcow2) }
        if head.bytes.has("QED\0") { found.append(.qed) }
        if VMDK.isVMDK(head.bytes) { found.append(.vmdk) }
        if VHDX.isVHDX(head.bytes) { found.append(.vhdx) }
        if VHD.isVHD(head.bytes) { found.append(.vhd) }
        if VDI.isVDI(head.bytes) { found.append(.vdi) }
        if found.isEmpty || declared.disk == .iso, ISO.isISO(head.bytes) { found.append(.iso) }
        if found.isEmpty, VHD.isFixed(tail.bytes, isDeclared: declared.disk == .vhd) { found.append(.vhd) }
        return found
    }

    private func mismatch(_ found: [DetectedFormat]) -> FormatRefusal? {
        let expected: DetectedFormat
        switch declared.disk {
        case .raw:
            // An ISO image consists of a disk's raw bytes, so it is raw as well.
            return found.first { $0 != .iso }.map { .mismatch(declared: .raw, found: $0) }
        case .ami, .ari, .aki, .ploop:
            return found.first.map { .mismatch(declared: declared.disk, found: $0) }
        case .qcow2: expected = .qcow2
        case .vmdk: expected = .vmdk
        case .vhd: expected = .vhd
        case .vhdx: expected = .vhdx
        case .vdi: expected = .vdi
        case .iso: expected = .iso
        }
        guard found.contains(expected) else { return .mismatch(declared: declared.disk, found: found.first) }
        return found.first { $0 != expected }.map { .ambiguous(declared: declared.disk, found: $0) }
    }

    private func hazard(of format: DetectedFormat) -> FormatRefusal.Hazard? {
        switch format {
        case .qcow, .qed: .unknownVersion
        case .qcow2: Qcow2.hazard(head.bytes)
        case .vmdk: VMDK.hazard(head.bytes, tail: tail.bytes)
        case .vhd: VHD.hazard(head.bytes, tail: tail.bytes)
        case .vhdx: VHDX.hazard(vhdx)
        case .vdi: VDI.hazard(head.bytes)
        case .iso: nil
        }
    }
}

/// A format that can be detected from an image's bytes. Images without a detected format are raw: a disk's bytes as they are,
/// with or without a partition table.
package enum DetectedFormat: String, Sendable, Hashable, CaseIterable {
    /// QEMU's format in version 1, and in version 2 or 3.
    case qcow, qcow2
    /// QEMU's former enhanced disk.
    case qed
    /// VMware's format.
    case vmdk
    /// The formats of Virtual PC and Hyper-V.
    case vhd, vhdx
    /// VirtualBox's format.
    case vdi
    /// An optical disc (ISO 9660 or UDF).
    case iso
}

/// The reason why an image's bytes are not acceptable for its declared format; one sentence for a person.
package enum FormatRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes have another format than the declared one; nil if no format is recognized.
    case mismatch(declared: DiskFormat, found: DetectedFormat?)
    /// The bytes have the declared format and another one: two programs would see two images.
    case ambiguous(declared: DiskFormat, found: DetectedFormat)
    /// The format is known, and the image uses a refused feature of it.
    case hazard(DetectedFormat, Hazard)

    /// A refused feature. Most of them make the program that opens the image read another file of its host.
    package enum Hazard: String, Sendable, Hashable, CaseIterable {
        // The raw values are parts of the sentences in `FormatRefusal.description`.
        case backingFile = "names a backing file"
        case dataFile = "keeps its data in another file"
        case unknownFeatures = "uses incompatible features that are not known to be safe"
        case unknownVersion = "has a version that is not known to be safe"
        case noDescriptor = "has no readable descriptor inside"
        case unsafeCreateType = "is of a kind other than monolithicSparse and streamOptimized"
        case externalExtents = "has extents in other files"
        case parent = "is a difference to a parent image"
        case unsafeType = "is of a kind that is not known to be safe"
        case footer = "has a footer that contradicts its header"
        case damaged = "has a damaged or incomplete header"
    }

    /// The problem and the remedy.
    package var description: String {
        switch self {
        case .mismatch(let declared, let found?):
            "The image's bytes are \(found.rawValue), and its disk_format is \(declared.rawValue): correct the disk_format, or "
                + "convert the image."
        case .mismatch(let declared, nil):
            "The image's bytes are not \(declared.rawValue), which is its disk_format: correct the disk_format, or convert the "
                + "image."
        case .ambiguous(let declared, let found):
            "The image's bytes are both \(declared.rawValue) and \(found.rawValue): convert the image to one format."
        case .hazard(let format, let hazard):
            "The \(format.rawValue) image \(hazard.rawValue), which is refused: convert it to one complete file, for example "
                + "with qemu-img convert."
        }
    }
}
