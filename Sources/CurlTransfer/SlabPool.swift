import CLinux
package import NIOCore

/// A recycled memory buffer in flight, without identity.
package typealias Slab = ByteBuffer

/// A pool that recycles the memory that bytes travel in. Fresh memory of this size costs a page fault per 4 KiB, so a slab is
/// reused as soon as the code that wrote it to a socket has released it.
///
/// A slab belongs exclusively to the code that fills it. `recycle` hands the pool a reference to its storage; the slab is free
/// once that is the only reference left.
package struct SlabPool {
    /// The size of a slab in bytes.
    package let slabSize: Int
    private let keep: Int
    private var inFlight: [ByteBuffer] = []
    private var next = 0
    /// The number of slabs taken since the last trim.
    private var takenSinceTrim = 0

    /// Creates a pool of slabs of `slabSize` bytes that keeps at most `keep` of them for reuse.
    package init(slabSize: Int, keep: Int) {
        self.slabSize = slabSize
        self.keep = keep
    }

    /// The memory of the slabs that are in flight or wait for reuse.
    package var heldBytes: Int { inFlight.count * slabSize }

    /// Returns an empty, uniquely referenced slab. It examines a few slabs only, so that its cost is bounded.
    package mutating func take() -> ByteBuffer {
        takenSinceTrim += 1
        for _ in 0..<min(inFlight.count, 16) {
            next = (next + 1) % inFlight.count
            if inFlight[next].modifyIfUniquelyOwned({ $0.clear() }) != nil { return inFlight.remove(at: next) }
        }
        return ByteBufferAllocator().buffer(capacity: slabSize)
    }

    /// Remembers a filled slab that is in flight, to reuse it once it is free. Slices of a slab are ignored: two slices would
    /// hold each other's storage, which would then never become free.
    package mutating func recycle(_ slab: ByteBuffer) {
        if inFlight.count < keep, slab.capacity >= slabSize { inFlight.append(slab) }
    }

    /// Drops free slabs that were not needed: those beyond the number taken since the last call.
    package mutating func trimUnused() {
        var spare = takenSinceTrim
        takenSinceTrim = 0
        inFlight = inFlight.indices.compactMap { index in
            let isFree = inFlight[index].modifyIfUniquelyOwned { $0.clear() } != nil
            if isFree { spare -= 1 }
            return isFree && spare < 0 ? nil : inFlight[index]
        }
        next = 0
    }

    /// Drops all slabs, so that an idle service releases their memory.
    package mutating func trim() {
        inFlight = []
        next = 0
    }
}

/// Control over how freed memory returns to the system.
package enum FreedMemory {
    /// The size in bytes from which blocks are mapped individually, and unmapped when they are freed.
    private static let mappedSize: Int32 = 256 << 10

    /// Makes the allocator return each slab to the system as soon as it is freed. By default glibc raises its mmap threshold
    /// with each large block that is freed. Later blocks then come from its heaps, which keep everything below a block in use.
    package static func returnLargeBlocksAtOnce() { mallopt(M_MMAP_THRESHOLD, mappedSize) }

    /// Returns free heap memory to the system. Takes the lock of each heap for a moment.
    package static func release() { malloc_trim(0) }
}
