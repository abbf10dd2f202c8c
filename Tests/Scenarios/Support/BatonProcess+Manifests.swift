import FaultyOrigin
import ImageCatalog
import ImageModel
import Integrity

extension BatonProcess {
    /// Opens the server's catalog directly.
    func openCatalog() throws -> SQLiteCatalog { try SQLiteCatalog(path: directory.file("catalog.sqlite")) }

    /// Waits until an image has a manifest. Only the test's time limit ends the wait otherwise.
    func manifest(of image: String) async throws -> Manifest {
        guard let id = ImageID(image) else { throw CatalogError.unknownImage(ImageID()) }
        let catalog = try openCatalog()
        while true {
            let resolution = try await catalog.resolve(id, format: RequestedFormat())
            if let stored = resolution?.manifest { return try await catalog.whole(stored) }
            await Task.yield()
        }
    }
}

extension SQLiteCatalog {
    /// Reads all pages of a stored manifest.
    /// - Throws: `MissingPage` for a page that is missing or has an invalid seal.
    func whole(_ stored: StoredManifest) async throws -> Manifest {
        var digests: [UInt8] = []
        for page in 0..<stored.layout.pageCount {
            guard let page = try await manifestPage(page, of: stored), page.isIntact(in: stored.layout) else {
                throw MissingPage(number: page)
            }
            digests += page.digests
        }
        guard let manifest = Manifest(layout: stored.layout, digests: digests) else { throw MissingPage(number: nil) }
        return manifest
    }

    private struct MissingPage: Error {
        let number: Int?
    }
}

extension PatternedContent {
    /// The manifest of the content, computed independently of Baton's verifiers.
    func manifest(chunkSize: Int64) -> Manifest? {
        ChunkLayout(size: size, chunkSize: chunkSize).flatMap { Manifest(layout: $0, digests: chunkDigests($0)) }
    }

    /// The concatenated digests of the content's chunks, each computed separately.
    func chunkDigests(_ layout: ChunkLayout) -> [UInt8] {
        (0..<layout.count).flatMap { chunk -> [UInt8] in
            let stream = DigestStream(layout.algorithm)
            var offset = layout.start(of: chunk)
            while offset < layout.end(of: chunk) {
                offset += withBytes(at: offset, limit: Int(layout.end(of: chunk) - offset)) { bytes in
                    stream.update(bytes)
                    return Int64(bytes.count)
                }
            }
            return stream.finish().bytes
        }
    }
}
