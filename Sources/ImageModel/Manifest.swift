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

/// The division of a representation into chunks of one size, each with its own digest. The last chunk may be shorter.
package struct ChunkLayout: Sendable, Hashable {
    /// The size of the representation in bytes; at least 1.
    package let size: Int64
    /// The size of every chunk but the last in bytes; at least 1.
    package let chunkSize: Int64
    /// The algorithm of the chunks' digests.
    package let algorithm: DigestAlgorithm

    /// The default chunk size: 1 MiB.
    package static let defaultChunkSize: Int64 = 1 << 20

    /// Creates a layout; nil if `size` or `chunkSize` is below 1.
    package init?(size: Int64, chunkSize: Int64 = defaultChunkSize, algorithm: DigestAlgorithm = .sha256) {
        guard size > 0, chunkSize > 0 else { return nil }
        self.size = size
        self.chunkSize = chunkSize
        self.algorithm = algorithm
    }

    /// The number of chunks; at least 1.
    package var count: Int { Int((size - 1) / chunkSize) + 1 }

    /// The index of the chunk with the byte at `offset`, from 0.
    package func chunk(at offset: Int64) -> Int { Int(offset / chunkSize) }

    /// The offset of a chunk's first byte.
    package func start(of chunk: Int) -> Int64 { Int64(chunk) * chunkSize }

    /// The offset after a chunk's last byte.
    package func end(of chunk: Int) -> Int64 { start(of: chunk) + min(chunkSize, size - start(of: chunk)) }

    /// Extends a range to chunk boundaries. The range must begin inside the representation.
    package func widened(_ range: ByteRange) -> ByteRange {
        let first = start(of: chunk(at: range.first))
        let end = end(of: chunk(at: min(range.last, size - 1)))
        return ByteRange(first: first, last: end - 1) ?? range
    }
}

// The pages that a manifest is stored and read in.
extension ChunkLayout {
    /// The number of chunks per page: at 1 MiB each, a page covers 1 GiB of the image.
    package static let chunksPerPage = 1024

    /// The number of pages; at least 1.
    package var pageCount: Int { (count - 1) / Self.chunksPerPage + 1 }

    /// The index of the page that lists a chunk.
    package func page(of chunk: Int) -> Int { chunk / Self.chunksPerPage }

    /// The indices of the chunks that a page lists.
    package func chunks(of page: Int) -> Range<Int> {
        let first = page * Self.chunksPerPage
        return first..<min(count, first + Self.chunksPerPage)
    }
}
