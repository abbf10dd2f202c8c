import CurlTransfer
import NIOCore
import Testing

@testable import RelayEngine

@Suite struct RelayBufferTests {
    private func bytes(_ slabs: [ByteBuffer]) -> [UInt8] { slabs.flatMap { Array($0.readableBytesView) } }

    @Test("No slab crosses a boundary")
    func noSlabCrossesABoundary() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(single: [100]))
        let all = (0..<200).map { UInt8($0) }
        all.withUnsafeBytes { buffer.append($0, from: &pool) }
        let before = buffer.take(upTo: 100, whole: false)
        #expect(bytes(before) == Array(all[0..<100]))
        #expect(bytes(buffer.take(upTo: 200, whole: true)) == Array(all[100...]))
    }

    @Test("An open slab leaves the buffer only on request")
    func anOpenSlabLeavesOnlyOnRequest() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 10, boundaries: .init())
        [UInt8(1), 2, 3].withUnsafeBytes { buffer.append($0, from: &pool) }
        #expect(buffer.take(upTo: 13, whole: false).isEmpty)
        #expect(bytes(buffer.take(upTo: 13, whole: true)) == [1, 2, 3])
        [UInt8(4)].withUnsafeBytes { buffer.append($0, from: &pool) }
        #expect(bytes(buffer.take(upTo: 14, whole: true)) == [4])
        #expect(buffer.start == 14 && buffer.end == 14)
    }

    @Test("Adopted slabs are cut at the boundary and keep their order")
    func adoptedSlabsAreCutAtTheBoundaryAndKeepTheirOrder() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(single: [6]))
        [UInt8(0), 1].withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.append(ByteBuffer(bytes: (2..<10).map { UInt8($0) }))
        #expect(bytes(buffer.take(upTo: 6, whole: false)) == [0, 1, 2, 3, 4, 5])
        #expect(bytes(buffer.take(upTo: 10, whole: false)) == [6, 7, 8, 9])
    }

    @Test("An open slab that is dropped does not leave the buffer")
    func anOpenSlabThatIsDroppedDoesNotLeave() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(single: [13]))
        (0..<5).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        #expect(buffer.take(upTo: 13, whole: true).isEmpty)
        (5..<20).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        #expect(bytes(buffer.take(upTo: 20, whole: true)) == Array(13..<20))
    }

    @Test("Dropped bytes can be received again")
    func droppedBytesCanBeReceivedAgain() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(single: [13], every: 20))
        (100..<117).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        buffer.rewind(to: 0)
        #expect(buffer.start == 0 && buffer.end == 0)
        (0..<20).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        #expect(bytes(buffer.take(upTo: 20, whole: true)) == Array(13..<20))
    }

    @Test("Bytes after a chunk's boundary can be discarded and received again")
    func bytesAfterABoundaryCanBeDiscardedAndReceivedAgain() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 10, boundaries: .init(single: [13], every: 10))
        let first = (10..<47).map { UInt8($0) }
        first.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.append(ByteBuffer(bytes: (47..<75).map { UInt8($0) }))
        buffer.drop(below: 13)
        #expect(bytes(buffer.take(upTo: 30, whole: true)) == Array(13..<30))
        buffer.rewind(to: 40)
        #expect(buffer.end == 40)
        [UInt8(140), 141].withUnsafeBytes { buffer.append($0, from: &pool) }
        #expect(bytes(buffer.take(upTo: 42, whole: true)) == Array(30..<40) + [140, 141])
    }

    @Test("Bytes discarded at the start can be received again as well")
    func bytesDiscardedAtTheStartCanBeReceivedAgain() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 10, boundaries: .init(single: [13], every: 10))
        (10..<18).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        buffer.rewind(to: 10)
        #expect(buffer.start == 10 && buffer.end == 10)
        (110..<120).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.drop(below: 13)
        #expect(bytes(buffer.take(upTo: 20, whole: true)) == Array(113..<120))
    }

    @Test("An open slab after the boundary is discarded too")
    func anOpenSlabAfterTheBoundaryIsDiscardedToo() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(every: 10))
        (0..<13).map { UInt8($0) }.withUnsafeBytes { buffer.append($0, from: &pool) }
        buffer.rewind(to: 10)
        [UInt8(200)].withUnsafeBytes { buffer.append($0, from: &pool) }
        #expect(bytes(buffer.take(upTo: 11, whole: true)) == Array(0..<10) + [200])
    }

    @Test("A slab that was cut at boundaries is reused once all its parts are gone")
    func aCutSlabIsReusedOnceAllItsPartsAreGone() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(every: 16))
        var slab = pool.take()
        slab.writeBytes((0..<64).map { UInt8($0) })
        let address = slab.withUnsafeReadableBytes { $0.baseAddress }
        buffer.append(slab)
        slab = ByteBuffer()
        var pieces = buffer.take(upTo: 64, whole: true)
        #expect(pieces.count == 4)
        #expect(bytes(pieces) == Array(0..<64))
        for piece in pieces { pool.recycle(piece) }
        #expect(pool.heldBytes == 64, "one slab is held, not one for each piece")
        pieces = []
        let again = pool.take()
        #expect(again.withUnsafeReadableBytesWithStorageManagement { bytes, _ in bytes.baseAddress } == address)
    }

    @Test("Chunks smaller than a slab take no more memory than they hold")
    func smallChunksTakeNoMoreMemoryThanTheyHold() {
        var pool = SlabPool(slabSize: 4096, keep: 4)
        var buffer = RelayBuffer(start: 0, boundaries: .init(every: 64))
        let all = (0..<640).map { UInt8(truncatingIfNeeded: $0) }
        all.withUnsafeBytes { buffer.append($0, from: &pool) }
        let slabs = buffer.take(upTo: 640, whole: true)
        #expect(bytes(slabs) == all)
        #expect(slabs.reduce(0) { $0 + $1.storageCapacity } == 640)
    }

    @Test("A slab in use is not handed out again")
    func aSlabInUseIsNotHandedOutAgain() {
        var pool = SlabPool(slabSize: 64, keep: 4)
        var slab = pool.take()
        slab.writeBytes([1, 2, 3])
        pool.recycle(slab)
        var other = pool.take()
        other.writeBytes([9, 9, 9])
        #expect(Array(slab.readableBytesView) == [1, 2, 3])
        let address = slab.withUnsafeReadableBytes { $0.baseAddress }
        slab = ByteBuffer()
        let again = pool.take()
        #expect(again.readableBytes == 0)
        #expect(again.withUnsafeReadableBytesWithStorageManagement { bytes, _ in bytes.baseAddress } == address)
    }
}
