import CurlTransfer
import DequeModule
import NIOCore

/// The bytes that a relay has taken and that its client has not, in slabs.
///
/// A slab that was passed on is not written to again.
struct RelayBuffer {
    private var closed: Deque<ByteBuffer> = []
    private var open: ByteBuffer?
    /// The offset of the first byte held.
    private(set) var start: Int64
    /// The offset after the last byte held.
    private(set) var end: Int64
    /// No slab crosses one of these offsets, so that the bytes before it can leave or be dropped alone.
    private let boundaries: Boundaries

    /// Offsets between which slabs are filled.
    struct Boundaries {
        /// Single offsets, in no order.
        var single: [Int64] = []
        /// The distance of regular boundaries; nil for none.
        var every: Int64?

        /// The first boundary after an offset; the largest number if there is none.
        func next(after offset: Int64) -> Int64 {
            let regular = every.map { (offset / $0 + 1) * $0 } ?? .max
            return single.reduce(regular) { $1 > offset ? min($0, $1) : $0 }
        }
    }

    init(start: Int64, boundaries: Boundaries) {
        self.start = start
        self.end = start
        self.boundaries = boundaries
    }

    /// Copies bytes into slabs of the pool, or into smaller buffers.
    mutating func append(_ bytes: UnsafeRawBufferPointer, from pool: inout SlabPool) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var slab = takeOpen() ?? room(from: &pool)
            let boundary = boundaries.next(after: end)
            let count = Int(min(Int64(min(slab.writableBytes, rest.count)), boundary - end))
            slab.writeBytes(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            end += Int64(count)
            if slab.writableBytes == 0 || end == boundary { closed.append(slab) } else { open = slab }
        }
    }

    /// Chunks smaller than a slab get smaller buffers: a slab would hold one chunk and take many times the memory.
    private func room(from pool: inout SlabPool) -> ByteBuffer {
        guard let every = boundaries.every, every < pool.slabSize else { return pool.take() }
        return ByteBufferAllocator().buffer(capacity: Int(every))
    }

    /// Adds a whole slab without a copy, cut at the boundaries. Only the last piece can be reused as a slab.
    mutating func append(_ slab: ByteBuffer) {
        close()
        var rest = slab
        while rest.readableBytes > 0 {
            let count = min(Int64(rest.readableBytes), boundaries.next(after: end) - end)
            end += count
            guard count < Int64(rest.readableBytes), let piece = rest.readSlice(length: Int(count)) else {
                return closed.append(rest)
            }
            closed.append(piece)
        }
    }

    /// Removes the closed slabs that lie below `limit`; with `whole`, also the open one.
    mutating func take(upTo limit: Int64, whole: Bool) -> [ByteBuffer] {
        if whole, end <= limit { close() }
        var slabs: [ByteBuffer] = []
        while let slab = closed.first, start + Int64(slab.readableBytes) <= limit {
            closed.removeFirst()
            start += Int64(slab.readableBytes)
            slabs.append(slab)
        }
        return slabs
    }

    /// Drops the bytes before a boundary, including those of the open slab.
    mutating func drop(below limit: Int64) {
        while let slab = closed.first, start + Int64(slab.readableBytes) <= limit {
            closed.removeFirst()
            start += Int64(slab.readableBytes)
        }
        guard end <= limit, var slab = takeOpen() else { return }
        start += Int64(slab.readableBytes)
        slab.clear()
        open = slab
    }

    /// Drops the bytes after a boundary, which becomes the offset of the next bytes, even if the bytes before it were dropped.
    mutating func rewind(to offset: Int64) {
        close()
        while end > offset, let slab = closed.popLast() { end -= Int64(slab.readableBytes) }
        guard end > offset else { return }
        start = offset
        end = offset
    }

    /// Drops all bytes and starts again at `offset`.
    mutating func reset(to offset: Int64) {
        closed = []
        open = nil
        start = offset
        end = offset
    }

    private mutating func close() {
        if let slab = takeOpen(), slab.readableBytes > 0 { closed.append(slab) }
    }

    /// Moves the open slab out, so that writing to it does not copy it.
    private mutating func takeOpen() -> ByteBuffer? {
        defer { open = nil }
        return open
    }
}
