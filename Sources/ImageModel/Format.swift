/// The layout of a disk's blocks in the bytes; the values that Glance accepts.
package enum DiskFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop
}

/// The container around the disk; the values that Glance accepts.
package enum ContainerFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, bare, ovf, ova, docker, compressed
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
