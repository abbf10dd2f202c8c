import ImageModel
import Integrity
import Testing

/// Made-up bytes that are cut into chunks, and what is known of each by hashing it alone.
struct ChunkedContent {
    let layout: ChunkLayout
    var bytes: [UInt8]

    init(size: Int, chunkSize: Int64) throws {
        layout = try #require(ChunkLayout(size: Int64(size), chunkSize: chunkSize))
        bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    /// The digest of one chunk, from a stream of its own.
    func digest(of chunk: Int) -> [UInt8] {
        let stream = DigestStream(layout.algorithm)
        bytes[Int(layout.start(of: chunk))..<Int(layout.end(of: chunk))].withUnsafeBytes { stream.update($0) }
        return stream.finish().bytes
    }

    /// The digests of all chunks, one behind the other.
    var digests: [UInt8] { (0..<layout.count).flatMap { digest(of: $0) } }

    /// Hands out the bytes of a range in pieces of at most `piece` bytes.
    func forEach(_ piece: Int, in range: Range<Int>? = nil, _ take: (UnsafeRawBufferPointer) -> Void) {
        let range = range ?? 0..<bytes.count
        for first in stride(from: range.lowerBound, to: range.upperBound, by: piece) {
            bytes[first..<min(range.upperBound, first + piece)].withUnsafeBytes(take)
        }
    }
}
