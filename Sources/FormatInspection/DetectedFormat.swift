/// A format that an image's own bytes give away. What gives nothing away is raw: a disk's bytes as they are, with or without a
/// partition table.
package enum DetectedFormat: String, Sendable, Hashable, CaseIterable {
    case qcow, qcow2, qed, vmdk, vhd, vhdx, vdi, iso
}
