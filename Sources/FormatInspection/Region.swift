/// A region of the image whose bytes are kept while the image is read.
struct Region: Sendable, Equatable {
    /// The offset in the image.
    let offset: Int64
    /// The length in bytes.
    let length: Int
    /// The bytes kept so far, from `offset` on.
    private(set) var bytes: [UInt8]

    /// - Parameter bytes: the bytes kept by an earlier inspection.
    init(at offset: Int64, length: Int, bytes: [UInt8] = []) {
        self.offset = offset
        self.length = length
        self.bytes = bytes
    }

    var isComplete: Bool { bytes.count == length }

    /// Keeps the bytes that fall into the region. The image's bytes arrive in order, without gaps.
    /// - Parameter position: the offset of `part` in the image.
    mutating func take(_ part: UnsafeRawBufferPointer, at position: Int64) {
        let next = offset + Int64(bytes.count)
        let end = min(offset + Int64(length), position + Int64(part.count))
        guard position <= next, next < end else { return }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: part[Int(next - position)..<Int(end - position)]))
    }
}

struct Tail: Sendable, Equatable {
    /// The number of bytes kept: a streamOptimized VMDK's footer with its two markers, which is longer than a VHD's.
    static let length = 1536
    private(set) var bytes: [UInt8]

    init(bytes: [UInt8] = []) { self.bytes = bytes }

    /// Keeps the last bytes so far.
    mutating func take(_ part: UnsafeRawBufferPointer) {
        let kept = UnsafeRawBufferPointer(rebasing: part.suffix(Self.length))
        let surplus = bytes.count + kept.count - Self.length
        if surplus > 0 { bytes.removeFirst(min(surplus, bytes.count)) }
        bytes.append(contentsOf: kept)
    }
}

extension [UInt8] {
    /// The big-endian number at an offset; nil beyond the end.
    func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        let size = Number.bitWidth / 8
        guard offset >= 0, offset <= count - size else { return nil }
        return self[offset..<offset + size].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// The little-endian number at an offset; nil beyond the end.
    func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        bigEndian(type, at: offset)?.byteSwapped
    }

    /// Whether the bytes at an offset equal the text.
    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
        guard offset >= 0, offset <= count - text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { self[offset..<offset + $0.count].elementsEqual($0) }
    }
}
