import CLinux

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
