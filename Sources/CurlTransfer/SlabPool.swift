public import NIOCore

/// A recycled memory buffer in flight; it has no identity.
public typealias Slab = ByteBuffer

/// Recycles the memory that bytes travel in. Fresh memory of this size costs a page fault per 4 KiB, so a slab is used again as
/// soon as whoever wrote it to a socket has let go of it.
///
/// A slab taken belongs to the taker alone while it is filled; `lend` tells the pool to look whether it has come back. The pool
/// then holds one reference to its storage: when that is the only one left, the slab is free.
public struct SlabPool {
    /// How many bytes a slab takes.
    public let slabSize: Int
    private let keep: Int
    private var lent: [ByteBuffer] = []
    private var next = 0
    /// How many slabs were taken since the last look at those that are free.
    private var taken = 0

    /// A pool of slabs of `slabSize` bytes that keeps at most `keep` of them for use again.
    public init(slabSize: Int, keep: Int) {
        self.slabSize = slabSize
        self.keep = keep
    }

    /// The memory of the slabs that are on their way out or wait to be used again.
    public var heldBytes: Int { lent.count * slabSize }

    /// An empty slab that nobody else refers to. Looks at a few slabs only, so that its cost has a bound.
    public mutating func take() -> ByteBuffer {
        taken += 1
        for _ in 0..<min(lent.count, 16) {
            next = (next + 1) % lent.count
            if lent[next].modifyIfUniquelyOwned({ $0.clear() }) != nil { return lent.remove(at: next) }
        }
        return ByteBufferAllocator().buffer(capacity: slabSize)
    }

    /// Remembers a filled slab that is on its way out, to use it again when it is free. A piece of one is let be: two pieces would
    /// hold each other's storage, which then never came free.
    public mutating func lend(_ slab: ByteBuffer) {
        if lent.count < keep, slab.capacity >= slabSize { lent.append(slab) }
    }

    /// Forgets the free slabs beyond as many as were taken since the last time: those that nobody needed.
    public mutating func trimUnused() {
        var spare = taken
        taken = 0
        lent = lent.indices.compactMap { index in
            let isFree = lent[index].modifyIfUniquelyOwned { $0.clear() } != nil
            if isFree { spare -= 1 }
            return isFree && spare < 0 ? nil : lent[index]
        }
        next = 0
    }

    /// Forgets all slabs, so that an idle service gives their memory back.
    public mutating func trim() {
        lent = []
        next = 0
    }
}
