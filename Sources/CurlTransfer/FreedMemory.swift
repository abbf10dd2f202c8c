import CLinux

/// How memory that is not needed any more goes back to the system.
package enum FreedMemory {
    /// Larger blocks are mapped one by one, and unmapped when they are freed.
    private static let mappedSize: Int32 = 256 << 10

    /// Makes the allocator give each slab back as soon as it is freed. Without this, glibc raises the size from which it maps memory
    /// with each large block that is freed; later ones come from its heaps, which keep all that lies below a block in use.
    package static func returnLargeBlocksAtOnce() { mallopt(M_MMAP_THRESHOLD, mappedSize) }

    /// Gives back what the heaps hold free. Takes the lock of each heap for a moment.
    package static func release() { malloc_trim(0) }
}
