import ImageModel
import Integrity

extension CatalogAccount.Manifest {
    /// How it differs from the manifest of the content; nil if it does not.
    func flaw(of content: LocationBook.Content) -> String? {
        guard identity == "sha256:\(content.digests["sha256"] ?? "")", size == content.size else {
            return "it is of \(size) bytes with \(identity)"
        }
        guard let algorithm = DigestAlgorithm(rawValue: algorithm),
            let layout = ChunkLayout(size: size, chunkSize: chunkSize, algorithm: algorithm)
        else { return "chunks of \(chunkSize) bytes with \(algorithm) are not readable" }
        guard let right = Manifest(layout: layout, digests: content.chunks(layout)) else {
            return "there is nothing to compare"
        }
        guard pages.map(\.number) == Array(0..<layout.pageCount) else {
            return "it has the pages \(pages.map(\.number)) of \(layout.pageCount)"
        }
        for (page, expected) in zip(pages, right.pages) {
            if page.digests != expected.digests { return "page \(page.number) has a wrong digest" }
            if page.seal != expected.seal { return "page \(page.number) has a wrong seal" }
        }
        return nil
    }
}
