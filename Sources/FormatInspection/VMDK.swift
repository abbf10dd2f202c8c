/// VMware's format. Only kinds that consist of one file with an embedded descriptor are safe: a descriptor can name any other
/// file as an extent or a parent. Numbers are little-endian; positions count sectors of 512 bytes.
enum VMDK {
    /// The offset of the embedded descriptor.
    static let descriptorOffset = 512
    /// The largest embedded descriptor in bytes; usual ones have 20 sectors.
    static let maximumDescriptor = 64 << 10

    private enum Offset {
        static let version = 4
        static let capacity = 12
        static let descriptor = 28
        static let descriptorSize = 36
        static let directory = 56
        static let end = 79
    }
    /// The value of the header's directory offset if the footer contains the actual one.
    private static let atEnd = UInt64.max

    static func isVMDK(_ head: [UInt8]) -> Bool {
        head.has("KDMV") || head.has("COWD") || VMDKDescriptor.isDescriptor(head)
    }

    static func hazard(_ head: [UInt8], tail: [UInt8]) -> FormatRefusal.Hazard? {
        // COWD is an extent without a descriptor; a text descriptor names its extents.
        guard head.has("KDMV") else { return .unsafeCreateType }
        guard head.count >= Offset.end, let header = Header(head) else { return .damaged }
        guard (1...3).contains(header.version) else { return .unknownVersion }
        // Readers treat a file without a capacity as a descriptor with extents of its own.
        guard header.capacity > 0 else { return .externalExtents }
        guard header.descriptor == 1, (1...UInt64(maximumDescriptor / 512)).contains(header.descriptorSize) else {
            return .noDescriptor
        }
        if header.directory == atEnd, !hasFooter(tail, like: header) { return .footer }
        let end = descriptorOffset + Int(header.descriptorSize) * 512
        guard head.count >= end else { return .damaged }
        return VMDKDescriptor(head[descriptorOffset..<end]).hazard
    }

    private struct Header {
        let version: UInt32
        let capacity: UInt64
        let descriptor: UInt64
        let descriptorSize: UInt64
        let directory: UInt64

        init?(_ bytes: [UInt8]) {
            guard let version = bytes.littleEndian(UInt32.self, at: Offset.version),
                let capacity = bytes.littleEndian(UInt64.self, at: Offset.capacity),
                let descriptor = bytes.littleEndian(UInt64.self, at: Offset.descriptor),
                let descriptorSize = bytes.littleEndian(UInt64.self, at: Offset.descriptorSize),
                let directory = bytes.littleEndian(UInt64.self, at: Offset.directory)
            else { return nil }
            self.version = version
            self.capacity = capacity
            self.descriptor = descriptor
            self.descriptorSize = descriptorSize
            self.directory = directory
        }
    }

    /// Whether the last three sectors are a marker, a footer and a marker. Readers use the footer if the header refers to it.
    private static func hasFooter(_ tail: [UInt8], like header: Header) -> Bool {
        guard tail.count == Tail.length else { return false }
        let footer = Array(tail[512..<1024])
        guard footer.has("KDMV"), let copy = Header(footer), copy.directory != atEnd else { return false }
        guard copy.version == header.version, copy.capacity == header.capacity, copy.descriptor == header.descriptor,
            copy.descriptorSize == header.descriptorSize
        else { return false }
        let isMarker = tail.littleEndian(UInt32.self, at: 8) == 0 && tail.littleEndian(UInt32.self, at: 12) == 3
        return isMarker && tail[1024...].allSatisfy { $0 == 0 }
    }
}

/// The text in a VMDK that states its type and the location of its extents. Keywords are case-insensitive.
///
/// Like other readers, this one searches bytes: in Unicode, a combining mark after a keyword makes it another word.
struct VMDKDescriptor {
    /// The text with ASCII letters in lower case.
    private let text: [UInt8]

    /// - Parameter bytes: the bytes with padding; the text ends at the first NUL.
    init(_ bytes: some Sequence<UInt8>) {
        text = bytes.prefix { $0 != 0 }.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    /// Whether a file is a stand-alone descriptor. VMware recognizes one by its first line, QEMU by a version after comments.
    static func isDescriptor(_ head: [UInt8]) -> Bool {
        if hasVersion(head) { return true }
        let beginning = head.prefix(512)
        guard let first = beginning.first, first != 0 else { return false }
        let descriptor = VMDKDescriptor(head)
        if descriptor.text.starts(with: "# disk descriptorfile".utf8) { return true }
        return beginning.allSatisfy(isText) && !descriptor.values(of: "createtype").isEmpty
    }

    /// The hazard in the descriptor of a sparse file; nil if there is none.
    var hazard: FormatRefusal.Hazard? {
        // Readers search for this word anywhere in the text.
        if !offsets(of: "parentfilenamehint").isEmpty { return .parent }
        if values(of: "parentcid").contains(where: { !$0.elementsEqual("ffffffff".utf8) }) { return .parent }
        let types = values(of: "createtype")
        guard !types.isEmpty else { return .noDescriptor }
        guard types.allSatisfy({ $0.isOne(of: "monolithicsparse", "streamoptimized") }) else { return .unsafeCreateType }
        var extents = 0
        for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let words = line.split(maxSplits: 3, whereSeparator: Self.isBlank)
            guard let keyword = words.first, keyword.first != UInt8(ascii: "#") else { continue }
            if keyword.isOne(of: "rw", "rdonly", "noaccess") {
                extents += 1
                // The only extent is the file itself, under its original name.
                guard extents == 1, words.count == 4, words[2].isOne(of: "sparse"),
                    !words[3].contains(where: Self.leadsElsewhere)
                else { return .externalExtents }
            } else if !line.contains(UInt8(ascii: "=")) {
                return .noDescriptor
            }
        }
        return extents == 1 ? nil : .noDescriptor
    }

    /// The offsets of a word, even inside of other words.
    private func offsets(of word: StaticString) -> [Int] {
        let word = Array("\(word)".utf8)
        return text.indices.filter { text[$0] == word[0] && text[$0...].starts(with: word) }
    }

    /// The values assigned to a key anywhere in the text, without quotes; empty if no value follows the key.
    private func values(of key: StaticString) -> [ArraySlice<UInt8>] {
        offsets(of: key).map { offset in
            let rest = text[(offset + key.utf8CodeUnitCount)...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard rest.first == UInt8(ascii: "=") else { return [] }
            let value = rest.dropFirst().drop {
                $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\"")
            }
            return value.prefix { $0 != UInt8(ascii: "\"") && !Self.isBlank($0) }
        }
    }

    private static func leadsElsewhere(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Whether a byte may be part of text, in any language.
    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || isBlank(byte) }

    /// Whether the first line that is neither a comment nor empty contains a version.
    private static func hasVersion(_ head: [UInt8]) -> Bool {
        for line in head.prefix(4096).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.first == UInt8(ascii: "#") { continue }
            var words = line.drop { $0 == UInt8(ascii: " ") }
            if words.last == UInt8(ascii: "\r") { words.removeLast() }
            if words.isEmpty { continue }
            return words.isOne(of: "version=1", "version=2", "version=3")
        }
        return false
    }
}

extension ArraySlice<UInt8> {
    /// Whether the bytes equal one of the words.
    fileprivate func isOne(of words: String...) -> Bool { words.contains { elementsEqual($0.utf8) } }
}
