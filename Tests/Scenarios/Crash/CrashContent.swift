import FaultyOrigin
import ImageModel
import Integrity
import Synchronization

/// A content at an origin of its own, and what is true of it, computed once: every image that has it is compared again and again.
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

    /// The image of that id, with this content.
    func placed(as id: String) -> CrashFleet.PlacedImage {
        let facts = LocationBook.Content(image: id, size: origin.content.size, digests: digests) { self.chunkDigests($0) }
        return CrashFleet.PlacedImage(id: id, content: origin.content, facts: facts, origin: origin)
    }

    /// The digests of its chunks, one behind the other.
    func chunkDigests(_ layout: ChunkLayout) -> [UInt8] {
        chunks.withLock { chunks in
            if let known = chunks[layout] { return known }
            let digests = origin.content.chunkDigests(layout)
            chunks[layout] = digests
            return digests
        }
    }
}
