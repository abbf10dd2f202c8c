import ImageModel

/// Computes the digest of each chunk as the bytes flow by.
struct ChunkDigester: Sendable {
    let layout: ChunkLayout
    /// The offset of the next byte.
    private(set) var position: Int64
    private var state: DigestState

    /// A digester whose first byte is that of a chunk.
    init(_ layout: ChunkLayout, chunk: Int = 0) {
        self.layout = layout
        position = layout.start(of: chunk)
        state = DigestState(layout.algorithm)
    }

    /// One that goes on in the middle of a chunk.
    init(_ layout: ChunkLayout, position: Int64, state: DigestState) {
        self.layout = layout
        self.position = position
        self.state = state
    }

    /// Takes the next bytes in; `finished` learns the digest of each chunk that they end. Bytes behind the last chunk are ignored.
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

    /// The state of the chunk that is not finished.
    var snapshot: [UInt8] { state.bytes }
}
