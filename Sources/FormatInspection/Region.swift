/// A part of the image that is kept while its bytes pass.
struct Region: Sendable, Equatable {
    /// Where it begins in the image.
    let offset: Int64
    /// How many bytes it should have.
    let length: Int
    /// What was kept so far, from `offset` on.
    private(set) var bytes: [UInt8]

    /// - Parameter bytes: what an earlier inspection kept of it.
    init(at offset: Int64, length: Int, bytes: [UInt8] = []) {
        self.offset = offset
        self.length = length
        self.bytes = bytes
    }

    /// Whether it has all its bytes.
    var isComplete: Bool { bytes.count == length }

    /// Keeps what falls into the region. The image's bytes come in order, without a gap.
    /// - Parameter position: where `part` begins in the image.
    mutating func take(_ part: UnsafeRawBufferPointer, at position: Int64) {
        let next = offset + Int64(bytes.count)
        let end = min(offset + Int64(length), position + Int64(part.count))
        guard position <= next, next < end else { return }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: part[Int(next - position)..<Int(end - position)]))
    }
}

/// The last bytes of the image.
struct Tail: Sendable, Equatable {
    /// How many are kept: a streamOptimized VMDK's footer with its two markers, which is longer than a VHD's.
    static let length = 1536
    private(set) var bytes: [UInt8]

    init(bytes: [UInt8] = []) { self.bytes = bytes }

    /// Keeps the last bytes of what came so far.
    mutating func take(_ part: UnsafeRawBufferPointer) {
        let kept = UnsafeRawBufferPointer(rebasing: part.suffix(Self.length))
        let surplus = bytes.count + kept.count - Self.length
        if surplus > 0 { bytes.removeFirst(min(surplus, bytes.count)) }
        bytes.append(contentsOf: kept)
    }
}

extension [UInt8] {
    /// A number at an offset, the most significant byte first; nil beyond the end.
    func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        let size = Number.bitWidth / 8
        guard offset >= 0, offset <= count - size else { return nil }
        return self[offset..<offset + size].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// A number at an offset, the least significant byte first; nil beyond the end.
    func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        bigEndian(type, at: offset)?.byteSwapped
    }

    /// Whether these characters stand at an offset.
    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
        guard offset >= 0, offset <= count - text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { self[offset..<offset + $0.count].elementsEqual($0) }
    }
}
