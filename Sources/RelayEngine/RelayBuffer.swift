internal import CurlTransfer
internal import DequeModule
internal import NIOCore

/// The bytes between a relay's intake and its client, in slabs.
///
/// A slab that has been handed on is never written to again: the open one is closed before it goes.
struct RelayBuffer {
    private var closed: Deque<ByteBuffer> = []
    private var open: ByteBuffer?
    /// The offset of the first byte held.
    private(set) var start: Int64
    /// The offset behind the last byte held.
    private(set) var end: Int64
    /// No slab reaches over this offset, so that what is before it can leave without what is behind it.
    private let seam: Int64

    init(start: Int64, seam: Int64) {
        self.start = start
        self.end = start
        self.seam = seam
    }

    /// Copies bytes in, into slabs of the pool.
    mutating func append(_ bytes: UnsafeRawBufferPointer, from pool: inout SlabPool) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var slab = takeOpen() ?? pool.take()
            let untilSeam = end < seam ? seam - end : Int64.max
            let count = Int(min(Int64(min(slab.writableBytes, rest.count)), untilSeam))
            slab.writeBytes(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            end += Int64(count)
            if slab.writableBytes == 0 || end == seam { closed.append(slab) } else { open = slab }
        }
    }

    /// Takes a whole slab in without a copy; cut in two at the seam.
    mutating func append(_ slab: ByteBuffer) {
        close()
        var rest = slab
        if end < seam, seam < end + Int64(rest.readableBytes), let head = rest.readSlice(length: Int(seam - end)) {
            closed.append(head)
        }
        end += Int64(slab.readableBytes)
        closed.append(rest)
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
