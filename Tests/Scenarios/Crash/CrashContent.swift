import FaultyOrigin
import ImageModel
import Integrity
import Synchronization

/// Content at its own origin, with its digests, which are computed once because images are compared with them many times.
final class CrashContent: Sendable {
    let origin: FaultyOrigin
    private let digests: [String: String]
    private let chunks = Mutex<[ChunkLayout: [UInt8]]>([:])

    init(_ origin: FaultyOrigin) {
        self.origin = origin
        let all = ["sha256", "sha512", "sha1", "md5"].compactMap { DigestAlgorithm(rawValue: $0) }
            .map { ($0.rawValue, origin.content.digest($0)) }
        digests = Dictionary(uniqueKeysWithValues: all)
    }

    /// An image of that id with this content.
    func placed(as id: String) -> CrashFleet.PlacedImage {
        let facts = LocationBook.Content(image: id, size: origin.content.size, digests: digests) { self.chunkDigests($0) }
        return CrashFleet.PlacedImage(id: id, content: origin.content, facts: facts, origin: origin)
    }

    /// The concatenated digests of its chunks.
    func chunkDigests(_ layout: ChunkLayout) -> [UInt8] {
        chunks.withLock { chunks in
            if let known = chunks[layout] { return known }
            let digests = origin.content.chunkDigests(layout)
            chunks[layout] = digests
            return digests
        }
    }
}
