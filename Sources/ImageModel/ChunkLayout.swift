/// How a representation is cut into chunks of one size, each with a digest of its own; the last one may be shorter.
package struct ChunkLayout: Sendable, Hashable {
    /// The size of the whole, in bytes; at least 1.
    package let size: Int64
    /// The size of every chunk but the last, in bytes; at least 1.
    package let chunkSize: Int64
    /// What the chunks' digests are made with.
    package let algorithm: DigestAlgorithm

    /// The chunk size where nothing else is asked for: 1 MiB.
    package static let defaultChunkSize: Int64 = 1 << 20

    /// A layout; nil for a size or a chunk size below 1: nothing has no chunks.
    package init?(size: Int64, chunkSize: Int64 = defaultChunkSize, algorithm: DigestAlgorithm = .sha256) {
        guard size > 0, chunkSize > 0 else { return nil }
        self.size = size
        self.chunkSize = chunkSize
        self.algorithm = algorithm
    }

    /// How many chunks there are; at least 1.
    package var count: Int { Int((size - 1) / chunkSize) + 1 }

    /// Which chunk holds the byte at `offset`, counted from 0.
    package func chunk(at offset: Int64) -> Int { Int(offset / chunkSize) }

    /// The offset of a chunk's first byte.
    package func start(of chunk: Int) -> Int64 { Int64(chunk) * chunkSize }

    /// The offset behind a chunk's last byte.
    package func end(of chunk: Int) -> Int64 { start(of: chunk) + min(chunkSize, size - start(of: chunk)) }

    /// The chunks that a range lies in, whole. The range must begin inside the representation.
    package func widened(_ range: ByteRange) -> ByteRange {
        let first = start(of: chunk(at: range.first))
        let end = end(of: chunk(at: min(range.last, size - 1)))
        return ByteRange(first: first, last: end - 1) ?? range
    }
}

// The pages that a manifest is stored in and read by.
extension ChunkLayout {
    /// How many chunks a page lists: at 1 MiB each page is about 1 GiB of the image.
    package static let chunksPerPage = 1024

    /// How many pages there are; at least 1.
    package var pageCount: Int { (count - 1) / Self.chunksPerPage + 1 }

    /// Which page lists a chunk.
    package func page(of chunk: Int) -> Int { chunk / Self.chunksPerPage }

    /// The chunks that a page lists.
    package func chunks(of page: Int) -> Range<Int> {
        let first = page * Self.chunksPerPage
        return first..<min(count, first + Self.chunksPerPage)
    }
}
