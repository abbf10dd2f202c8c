import NIOCore
import Testing

@testable import CurlTransfer

@Suite struct SlabPoolTests {
    @Test("Slabs unused since the last trim are freed, and slabs in flight are kept")
    func unusedSlabsAreGivenBack() {
        var pool = SlabPool(slabSize: 4096, keep: 16)
        var flying = (0..<10).map { _ in pool.take() }
        for slab in flying { pool.recycle(slab) }
        pool.trimUnused()
        #expect(pool.heldBytes == 10 * 4096, "all are on their way out")
        flying.removeLast(6)
        let taken = (0..<2).map { _ in pool.take() }
        #expect(pool.heldBytes == 8 * 4096)
        pool.trimUnused()
        #expect(pool.heldBytes == 6 * 4096, "two were taken since, so two of the four free ones stay")
        pool.trimUnused()
        #expect(pool.heldBytes == 4 * 4096)
        withExtendedLifetime((flying, taken)) {}
    }
}
