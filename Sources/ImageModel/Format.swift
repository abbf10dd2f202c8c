/// How a disk's blocks are laid out in the bytes; the values that Glance accepts.
public enum DiskFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop
}

/// What is wrapped around the disk; the values that Glance accepts.
public enum ContainerFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case ami, ari, aki, bare, ovf, ova, docker, compressed
}

/// The pair that tells the representations of one image apart.
public struct Format: Sendable, Hashable, CustomStringConvertible {
    /// The layout of the disk.
    public let disk: DiskFormat
    /// The wrapping around it.
    public let container: ContainerFormat

    /// The pair.
    public init(disk: DiskFormat, container: ContainerFormat) {
        self.disk = disk
        self.container = container
    }

    /// `qcow2/bare`.
    public var description: String { "\(disk.rawValue)/\(container.rawValue)" }
}
