package import FoundationEssentials

/// The digests of all chunks of a representation: whoever has it can verify each chunk by itself.
///
/// It is made from bytes whose whole digest matched, and it is true for every location of the representation.
package struct Manifest: Sendable, Hashable {
    /// How the representation is cut.
    package let layout: ChunkLayout
    /// The chunks' digests in their order, one behind the other, `layout.algorithm.byteCount` bytes each.
    package let digests: [UInt8]

    /// A manifest; nil when the number of digests is not the layout's.
    package init?(layout: ChunkLayout, digests: [UInt8]) {
        guard digests.count == layout.count * layout.algorithm.byteCount else { return nil }
        self.layout = layout
        self.digests = digests
    }

    /// The digests of a page's chunks, one behind the other.
    package func digests(ofPage page: Int) -> [UInt8] {
        let chunks = layout.chunks(of: page)
        let length = layout.algorithm.byteCount
        return Array(digests[chunks.lowerBound * length..<chunks.upperBound * length])
    }
}

/// One page of a stored manifest: the digests of up to `ChunkLayout.chunksPerPage` chunks.
package struct ManifestPage: Sendable, Hashable {
    /// Its number, from 0.
    package let number: Int
    /// The chunks' digests, one behind the other.
    package let digests: [UInt8]
    /// The digest of `digests`: what was stored and read again is known to be the same.
    package let seal: [UInt8]

    /// A page with every property given.
    package init(number: Int, digests: [UInt8], seal: [UInt8]) {
        self.number = number
        self.digests = digests
        self.seal = seal
    }
}

/// A manifest as the catalog has it; its pages are read when they are needed.
package struct StoredManifest: Sendable, Hashable {
    /// Its number in the catalog; never used again for another.
    package let number: Int64
    /// How the representation is cut.
    package let layout: ChunkLayout
    /// When it was made.
    package let madeAt: Date

    /// A manifest with every property given.
    package init(number: Int64, layout: ChunkLayout, madeAt: Date) {
        self.number = number
        self.layout = layout
        self.madeAt = madeAt
    }
}
