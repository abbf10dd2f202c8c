package import NIOCore

/// A recycled memory buffer in flight; it has no identity.
package typealias Slab = ByteBuffer

/// Recycles the memory that bytes travel in. Fresh memory of this size costs a page fault per 4 KiB, so a slab is used again as
/// soon as whoever wrote it to a socket has let go of it.
///
/// A slab taken belongs to the taker alone while it is filled; `recycle` tells the pool to look whether it has come back. The pool
/// then holds one reference to its storage: when that is the only one left, the slab is free.
package struct SlabPool {
    /// How many bytes a slab takes.
    package let slabSize: Int
    private let keep: Int
    private var inFlight: [ByteBuffer] = []
    private var next = 0
    /// How many slabs were taken since the last look at those that are free.
    private var taken = 0

    /// A pool of slabs of `slabSize` bytes that keeps at most `keep` of them for use again.
    package init(slabSize: Int, keep: Int) {
        self.slabSize = slabSize
        self.keep = keep
    }

    /// The memory of the slabs that are on their way out or wait to be used again.
    package var heldBytes: Int { inFlight.count * slabSize }

    /// An empty slab that nobody else refers to. Looks at a few slabs only, so that its cost has a bound.
    package mutating func take() -> ByteBuffer {
        taken += 1
        for _ in 0..<min(inFlight.count, 16) {
            next = (next + 1) % inFlight.count
            if inFlight[next].modifyIfUniquelyOwned({ $0.clear() }) != nil { return inFlight.remove(at: next) }
        }
        return ByteBufferAllocator().buffer(capacity: slabSize)
    }

    /// Remembers a filled slab that is on its way out, to use it again when it is free. A piece of one is let be: two pieces would
    /// hold each other's storage, which then never came free.
    package mutating func recycle(_ slab: ByteBuffer) {
        if inFlight.count < keep, slab.capacity >= slabSize { inFlight.append(slab) }
    }

    /// Forgets the free slabs beyond as many as were taken since the last time: those that nobody needed.
    package mutating func trimUnused() {
        var spare = taken
        taken = 0
        inFlight = inFlight.indices.compactMap { index in
            let isFree = inFlight[index].modifyIfUniquelyOwned { $0.clear() } != nil
            if isFree { spare -= 1 }
            return isFree && spare < 0 ? nil : inFlight[index]
        }
        next = 0
    }

    /// Forgets all slabs, so that an idle service gives their memory back.
    package mutating func trim() {
        inFlight = []
        next = 0
    }
}
