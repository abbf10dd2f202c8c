import CurlTransfer
import DequeModule
import NIOCore

/// The bytes between a relay's bodyWindow and its client, in slabs.
///
/// A slab that has been handed on is never written to again: the open one is closed before it goes.
struct RelayBuffer {
    private var closed: Deque<ByteBuffer> = []
    private var open: ByteBuffer?
    /// The offset of the first byte held.
    private(set) var start: Int64
    /// The offset behind the last byte held.
    private(set) var end: Int64
    /// No slab reaches over one of these, so that what is before it can leave, or be forgotten, without what is behind it.
    private let boundaries: Boundaries

    /// Offsets between which slabs are filled.
    struct Boundaries {
        /// Single ones, in no order.
        var single: [Int64] = []
        /// Every multiple of it; nil for none.
        var every: Int64?

        /// The first one behind an offset; the largest number if there is none.
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

    /// Copies bytes in, into slabs of the pool, or into less.
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

    /// Where chunks are smaller than slabs a slab would hold one chunk and take many times the memory.
    private func room(from pool: inout SlabPool) -> ByteBuffer {
        guard let every = boundaries.every, every < pool.slabSize else { return pool.take() }
        return ByteBufferAllocator().buffer(capacity: Int(every))
    }

    /// Takes a whole slab in without a copy; cut at the boundaries. Only the last piece is a slab that can be used again.
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

    /// Takes the closed slabs out that lie below `limit`; with `whole`, also the open one if it does.
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

    /// Forgets what lies before a boundary, the open slab's bytes too: nobody may take them for what is to leave.
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

    /// Forgets what lies behind a boundary, which is where the next bytes go; also where what lay there has been dropped.
    mutating func rewind(to offset: Int64) {
        close()
        while end > offset, let slab = closed.popLast() { end -= Int64(slab.readableBytes) }
        guard end > offset else { return }
        start = offset
        end = offset
    }

    /// Forgets everything held and starts again at `offset`.
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

/// A run of bytes that one location contributed.
package struct Segment: Sendable, Hashable {
    /// The location, by its index among the candidates.
    package let candidate: Int
    /// The offset of the first byte.
    package let first: Int64
    /// The offset after the last byte.
    package internal(set) var end: Int64
}
