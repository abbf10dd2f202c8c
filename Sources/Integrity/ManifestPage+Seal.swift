package import ImageModel

extension Manifest {
    /// The sealed pages of the manifest.
    package var pages: [ManifestPage] {
        (0..<layout.pageCount).map { ManifestPage(sealing: digests(ofPage: $0), number: $0) }
    }
}

extension ManifestPage {
    /// Creates a page and computes its seal.
    package init(sealing digests: [UInt8], number: Int) {
        self.init(number: number, digests: digests, seal: Self.seal(of: digests))
    }

    /// Whether the page fits the layout and matches its seal. This detects corruption of the catalog's own storage.
    package func isIntact(in layout: ChunkLayout) -> Bool {
        (0..<layout.pageCount).contains(number)
            && digests.count == layout.chunks(of: number).count * layout.algorithm.byteCount
            && seal == Self.seal(of: digests)
    }

    private static func seal(of digests: [UInt8]) -> [UInt8] {
        let stream = DigestStream(.sha256)
        digests.withUnsafeBytes { stream.update($0) }
        return stream.finish().bytes
    }
}
