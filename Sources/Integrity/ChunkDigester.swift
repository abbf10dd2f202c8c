import ImageModel

/// Computes the digest of each chunk of a byte stream.
struct ChunkDigester: Sendable {
    let layout: ChunkLayout
    /// The offset of the next byte.
    private(set) var position: Int64
    private var state: DigestState

    /// Creates a digester that starts at the first byte of a chunk.
    init(_ layout: ChunkLayout, chunk: Int = 0) {
        self.layout = layout
        position = layout.start(of: chunk)
        state = DigestState(layout.algorithm)
    }

    /// Creates a digester that continues in the middle of a chunk.
    init(_ layout: ChunkLayout, position: Int64, state: DigestState) {
        self.layout = layout
        self.position = position
        self.state = state
    }

    /// Adds bytes, and calls `finished` with the digest of each completed chunk. Bytes after the last chunk are ignored.
    mutating func update(_ bytes: UnsafeRawBufferPointer, finished: (_ chunk: Int, _ digest: [UInt8]) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty, position < layout.size {
            let chunk = layout.chunk(at: position)
            let end = layout.end(of: chunk)
            let count = Int(min(Int64(rest.count), end - position))
            state.update(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            position += Int64(count)
            guard position == end else { continue }
            finished(chunk, state.finished().bytes)
            state = DigestState(layout.algorithm)
        }
    }

    /// The state of the incomplete chunk.
    var snapshot: [UInt8] { state.bytes }
}
