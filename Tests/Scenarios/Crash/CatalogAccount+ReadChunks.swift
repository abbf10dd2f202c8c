import ImageModel

extension CatalogAccount.ReadChunks {
    /// How it differs from the chunks that a read up to that position must have; nil if it does not.
    func flaw(of content: LocationBook.Content, at position: Int64) -> String? {
        guard let algorithm = DigestAlgorithm(rawValue: algorithm),
            let layout = ChunkLayout(size: content.size, chunkSize: chunkSize, algorithm: algorithm)
        else { return "chunks of \(chunkSize) bytes with \(algorithm) are not readable" }
        let finished = position == content.size ? layout.count : layout.chunk(at: position)
        let length = algorithm.byteCount
        let right = content.chunks(layout).prefix(finished * length)
        let count = finished == 0 ? 0 : layout.page(of: finished - 1) + 1
        guard pages.map(\.number) == Array(0..<count) else {
            return "it has the pages \(pages.map(\.number)) of \(count)"
        }
        for page in pages {
            let chunks = layout.chunks(of: page.number)
            let expected = right.dropFirst(chunks.lowerBound * length).prefix(chunks.count * length)
            if !page.digests.elementsEqual(expected) { return "page \(page.number) is not what was read" }
        }
        return nil
    }
}
