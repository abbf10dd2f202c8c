import Glibc

/// Content of any size in little memory: a random block that is repeated. The block's length is a prime number, so that bytes
/// at a wrong offset differ.
package struct PatternedContent: Sendable {
    /// The size in bytes.
    package let size: Int64
    private let block: [UInt8]

    private static let period = 1_048_573

    /// Creates content; different seeds give different bytes.
    package init(size: Int64, seed: UInt64) {
        self.size = size
        var state = seed
        var block: [UInt8] = []
        block.reserveCapacity(Self.period + 8)
        while block.count < Self.period {
            // splitmix64 (Steele, Lea and Flood) suffices, because the bytes only have to differ.
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            withUnsafeBytes(of: word) { block.append(contentsOf: $0) }
        }
        self.block = Array(block.prefix(Self.period))
    }

    /// Calls `body` with 1 to `limit` bytes from `offset` on. The offset may exceed the size, so that an origin can send more
    /// bytes than the content has.
    package func withBytes<Result>(
        at offset: Int64, limit: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let start = Int(offset % Int64(Self.period))
        let count = min(limit, Self.period - start)
        return try block.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)])) }
    }

    /// Copies the bytes of a short range.
    package func bytes(in range: Range<Int64>) -> [UInt8] {
        range.map { block[Int($0 % Int64(Self.period))] }
    }

    /// Compares bytes with the content at `offset`.
    /// - Returns: the index of the first byte that differs; nil if all are equal.
    package func firstDifference(from bytes: UnsafeRawBufferPointer, at offset: Int64) -> Int? {
        var done = 0
        while done < bytes.count {
            let difference: Int? = withBytes(at: offset + Int64(done), limit: bytes.count - done) { expected in
                let actual = UnsafeRawBufferPointer(rebasing: bytes[done..<(done + expected.count)])
                done += expected.count
                guard let left = actual.baseAddress, let right = expected.baseAddress, memcmp(left, right, expected.count) != 0
                else { return nil }
                return zip(actual, expected).enumerated().first { $1.0 != $1.1 }.map { done - expected.count + $0.offset }
            }
            if let difference { return difference }
        }
        return nil
    }
}
