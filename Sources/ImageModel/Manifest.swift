package import FoundationEssentials

/// The digests of all chunks of a representation, with which each chunk can be verified by itself.
///
/// A manifest is computed from bytes whose whole digest matched, and it is valid for every location of the representation.
package struct Manifest: Sendable, Hashable {
    /// The division of the representation into chunks.
    package let layout: ChunkLayout
    /// The chunks' digests, concatenated in order, `layout.algorithm.byteCount` bytes each.
    package let digests: [UInt8]

    /// Creates a manifest; nil if the number of digests is not the layout's.
    package init?(layout: ChunkLayout, digests: [UInt8]) {
        guard digests.count == layout.count * layout.algorithm.byteCount else { return nil }
        self.layout = layout
        self.digests = digests
    }

    /// The concatenated digests of a page's chunks.
    package func digests(ofPage page: Int) -> [UInt8] {
        let chunks = layout.chunks(of: page)
        let length = layout.algorithm.byteCount
        return Array(digests[chunks.lowerBound * length..<chunks.upperBound * length])
    }
}

/// One page of a stored manifest: the digests of up to `ChunkLayout.chunksPerPage` chunks.
package struct ManifestPage: Sendable, Hashable {
    /// The page's index, from 0.
    package let number: Int
    /// The chunks' digests, concatenated.
    package let digests: [UInt8]
    /// The digest of `digests`, which detects corruption of the stored page.
    package let seal: [UInt8]

    package init(number: Int, digests: [UInt8], seal: [UInt8]) {
        self.number = number
        self.digests = digests
        self.seal = seal
    }
}

/// A manifest in the catalog, whose pages are loaded on demand.
package struct StoredManifest: Sendable, Hashable {
    /// The manifest's number in the catalog; never reused.
    package let number: Int64
    /// The division of the representation into chunks.
    package let layout: ChunkLayout
    package let madeAt: Date

    package init(number: Int64, layout: ChunkLayout, madeAt: Date) {
        self.number = number
        self.layout = layout
        self.madeAt = madeAt
    }
}
