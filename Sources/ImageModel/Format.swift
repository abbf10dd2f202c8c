/// How a disk's blocks are laid out in the bytes; the values that Glance accepts.
package enum DiskFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop
}

/// What is wrapped around the disk; the values that Glance accepts.
package enum ContainerFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, bare, ovf, ova, docker, compressed
}

/// The pair that tells the representations of one image apart.
package struct Format: Sendable, Hashable, CustomStringConvertible {
    /// The layout of the disk.
    package let disk: DiskFormat
    /// The wrapping around it.
    package let container: ContainerFormat

    /// The pair.
    package init(disk: DiskFormat, container: ContainerFormat) {
        self.disk = disk
        self.container = container
    }

    /// `qcow2/bare`.
    package var description: String { "\(disk.rawValue)/\(container.rawValue)" }
}
