/// A format that can be detected from an image's bytes. Images without a detected format are raw: a disk's bytes as they are,
/// with or without a partition table.
package enum DetectedFormat: String, Sendable, Hashable, CaseIterable {
    case qcow, qcow2, qed, vmdk, vhd, vhdx, vdi, iso
}
