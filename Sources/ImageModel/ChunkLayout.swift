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
