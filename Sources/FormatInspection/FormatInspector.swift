package import ImageModel

/// Looks at an image's bytes while they pass, and says in the end whether they are what its declared format promises and refer to
/// nothing outside of themselves. It keeps only the few parts of the image that it judges by, however large the image is, and
/// does not depend on how the bytes are cut into pieces.
package struct FormatInspector: Sendable, Equatable {
    /// From an image's first byte: all headers, a VMDK's embedded descriptor, and the first volume descriptor of an ISO.
    static let headLength = VMDK.descriptorOffset + VMDK.maximumDescriptor

    private let declared: Format
    /// How many bytes were taken in.
    package private(set) var position: Int64
    private(set) var head: Region
    private(set) var tail: Tail
    /// Further in, and for VHDX alone: its region tables, then its metadata table, then one of its items.
    private(set) var vhdx: [Region]

    /// An inspection that has seen no byte.
    /// - Parameter declared: what the image is said to be.
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

    /// Takes the image's next bytes in.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        head.take(bytes, at: position)
        tail.take(bytes)
        if vhdx.isEmpty, VHDX.isVHDX(head.bytes) { vhdx = [VHDX.tables] }
        followVHDX(bytes)
        position += Int64(bytes.count)
    }

    /// What a complete region points to lies behind it, and perhaps in these same bytes.
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

    /// What speaks against the image, now that all its bytes were taken in; nil if nothing does.
    package func finish() -> FormatRefusal? {
        let found = detected
        // Inside of another container there is an archive, or what only the container's reader knows.
        if declared.container == .bare, let refusal = mismatch(found) { return refusal }
        return found.lazy.compactMap { format in hazard(of: format).map { .hazard(format, $0) } }.first
    }

    /// Every format that the bytes are of, without those that a disk's content could imitate where another is certain.
    private var detected: [DetectedFormat] {
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
            // An ISO is a disk's bytes as they are, made to be written to one.
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
