package import ImageModel

// Saves and restores an unfinished inspection, so that it can continue after a restart.
extension FormatInspector {
    /// The state as bytes, valid only for this version of Baton.
    package var snapshot: [UInt8] {
        var bytes = Self.bytes(of: UInt64(position))
        for part in [head.bytes, tail.bytes] {
            bytes += Self.bytes(of: UInt64(part.count)) + part
        }
        for region in vhdx {
            bytes += Self.bytes(of: UInt64(region.offset)) + Self.bytes(of: UInt64(region.length))
            bytes += Self.bytes(of: UInt64(region.bytes.count)) + region.bytes
        }
        return bytes
    }

    /// Restores a snapshot; nil if it comes from another version or is damaged.
    /// - Parameter declared: the image's declared format.
    package init?(snapshot: [UInt8], declared: Format) {
        var rest = snapshot[...]
        guard let position = Self.number(&rest), position < 1 << 62,
            let head = Self.part(&rest, longest: Self.headLength), let tail = Self.part(&rest, longest: Tail.length),
            UInt64(head.count) == min(position, UInt64(Self.headLength)),
            UInt64(tail.count) == min(position, UInt64(Tail.length))
        else { return nil }
        var vhdx: [Region] = []
        while !rest.isEmpty {
            guard vhdx.count < 3, let offset = Self.number(&rest), offset < 1 << 62, let length = Self.number(&rest),
                length <= UInt64(VHDX.tables.length), let bytes = Self.part(&rest, longest: Int(length))
            else { return nil }
            vhdx.append(Region(at: Int64(offset), length: Int(length), bytes: bytes))
        }
        self.init(
            declared: declared, position: Int64(position), head: Region(at: 0, length: Self.headLength, bytes: head),
            tail: Tail(bytes: tail), vhdx: vhdx)
    }

    private static func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        guard let number = Array(rest.prefix(8)).bigEndian(UInt64.self, at: 0) else { return nil }
        rest = rest.dropFirst(8)
        return number
    }

    private static func part(_ rest: inout ArraySlice<UInt8>, longest: Int) -> [UInt8]? {
        guard let count = number(&rest), count <= UInt64(longest), rest.count >= Int(count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }
}
