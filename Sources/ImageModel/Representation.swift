package import FoundationEssentials

/// One exact byte sequence of an image. Its locations are interchangeable at any byte; those of different representations never
/// are.
package struct Representation: Sendable, Hashable {
    package let image: ImageID
    /// The format, which distinguishes it from the image's other representations.
    package let format: Format
    /// The length in bytes; 0 or more.
    package let size: Int64
    /// The digest that verifies it; together with `size` its identity.
    package let identity: Digest
    /// Whether a whole verification failed and some contributor has been neither cleared nor quarantined since.
    package var isOnIntegrityHold: Bool
    /// The time of the last failed whole verification; nil if there was none.
    package var lastMismatchAt: Date?
    /// Whether two of its locations agree with each other against its declared digest: either the declaration is wrong, or both
    /// are.
    package var hasDigestConflict: Bool

    package init(
        image: ImageID, format: Format, size: Int64, identity: Digest, isOnIntegrityHold: Bool = false,
        lastMismatchAt: Date? = nil, hasDigestConflict: Bool = false
    ) {
        self.image = image
        self.format = format
        self.size = size
        self.identity = identity
        self.isOnIntegrityHold = isOnIntegrityHold
        self.lastMismatchAt = lastMismatchAt
        self.hasDigestConflict = hasDigestConflict
    }

    /// The seconds after a failed verification during which no ranges are served, even if the hold is settled sooner. A client
    /// that was cut off has wrong bytes, and would complete a corrupt file if it resumed.
    package static let rangePause: TimeInterval = 3600

    /// Whether ranges may be served, or only the whole.
    package func servesRanges(at now: Date) -> Bool {
        guard !isOnIntegrityHold else { return false }
        return lastMismatchAt.map { now.timeIntervalSince($0) >= Self.rangePause } ?? true
    }

    /// The unique name of a representation.
    package struct Name: Sendable, Hashable {
        package let image: ImageID
        /// The format, which distinguishes it from the image's other representations.
        package let format: Format
    }

    package var name: Name { Name(image: image, format: format) }

    /// The strong entity tag (RFC 9110 section 8.8.3) with the identity digest, quotes included.
    package var entityTag: String { "\"\(identity.algorithm.rawValue)-\(identity.hex)\"" }
}

/// The layout of a disk's blocks in the bytes; the values that Glance accepts.
package enum DiskFormat: String, Sendable, Hashable, CaseIterable, Codable {
    /// A machine image, a ramdisk and a kernel of Amazon.
    case ami, ari, aki
    /// Disks of Virtual PC, Hyper-V and VMware.
    case vhd, vhdx, vmdk
    /// A disk's blocks in order, without a header.
    case raw
    /// A disk of QEMU.
    case qcow2
    /// A disk of VirtualBox.
    case vdi
    /// An optical disc (ISO 9660 or UDF).
    case iso
    /// A disk of Virtuozzo.
    case ploop
}

/// The container around the disk; the values that Glance accepts.
package enum ContainerFormat: String, Sendable, Hashable, CaseIterable, Codable {
    /// A machine image, a ramdisk and a kernel of Amazon.
    case ami, ari, aki
    /// No container: the bytes are the disk itself.
    case bare
    /// An OVF package, and the same as a tar archive.
    case ovf, ova
    /// A tar archive of a Docker file system.
    case docker
    /// A compressed disk.
    case compressed
}

/// The pair of formats that distinguishes the representations of one image.
package struct Format: Sendable, Hashable, CustomStringConvertible {
    package let disk: DiskFormat
    package let container: ContainerFormat

    package init(disk: DiskFormat, container: ContainerFormat) {
        self.disk = disk
        self.container = container
    }

    /// The two formats, for example `qcow2/bare`.
    package var description: String { "\(disk.rawValue)/\(container.rawValue)" }
}
