/// The text in a VMDK that says of what kind it is and where its parts are. Keywords have no case.
struct VMDKDescriptor {
    private let text: String

    /// - Parameter bytes: with what pads it; the text ends with the first NUL.
    init(_ bytes: some Sequence<UInt8>) {
        text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).lowercased()
    }

    /// Whether a file is a descriptor that stands by itself: VMware knows one by its first line, QEMU by a version behind comments.
    static func isDescriptor(_ head: [UInt8]) -> Bool {
        if hasVersion(head) { return true }
        let beginning = head.prefix(512)
        guard let first = beginning.first, first != 0, beginning.allSatisfy(isText) else { return false }
        let descriptor = VMDKDescriptor(head)
        return descriptor.text.hasPrefix("# disk descriptorfile") || !descriptor.text.values(of: "createtype").isEmpty
    }

    /// What speaks against the descriptor of a sparse file.
    var hazard: FormatRefusal.Hazard? {
        // Readers look for this word wherever it stands.
        if text.contains("parentfilenamehint") { return .parent }
        if text.values(of: "parentcid").contains(where: { $0 != "ffffffff" }) { return .parent }
        let types = text.values(of: "createtype")
        guard !types.isEmpty else { return .noDescriptor }
        guard types.allSatisfy({ $0 == "monolithicsparse" || $0 == "streamoptimized" }) else { return .unsafeCreateType }
        var extents = 0
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(maxSplits: 3, whereSeparator: \.isWhitespace)
            guard let keyword = words.first, !keyword.hasPrefix("#") else { continue }
            if ["rw", "rdonly", "noaccess"].contains(keyword) {
                extents += 1
                // The only extent is the file itself; the name is the one that it had.
                guard extents == 1, words.count == 4, words[2] == "sparse", !words[3].contains(where: { "/\\".contains($0) })
                else { return .externalExtents }
            } else if !line.contains("=") {
                return .noDescriptor
            }
        }
        return extents == 1 ? nil : .noDescriptor
    }

    private static func isText(_ byte: UInt8) -> Bool { (0x20..<0x7F).contains(byte) || (0x09...0x0D).contains(byte) }

    /// Whether a line with a version follows on nothing but comments and empty lines.
    private static func hasVersion(_ head: [UInt8]) -> Bool {
        for line in head.prefix(4096).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.first == UInt8(ascii: "#") { continue }
            var words = line.drop { $0 == UInt8(ascii: " ") }
            if words.last == UInt8(ascii: "\r") { words.removeLast() }
            if words.isEmpty { continue }
            return ["version=1", "version=2", "version=3"].contains { words.elementsEqual($0.utf8) }
        }
        return false
    }
}

extension String {
    /// What is assigned to a key, wherever it stands, without quotes; empty where no value follows on the key.
    fileprivate func values(of key: String) -> [Substring] {
        ranges(of: key).map { range in
            let rest = self[range.upperBound...].drop { $0 == " " || $0 == "\t" }
            guard rest.first == "=" else { return "" }
            let value = rest.dropFirst().drop { $0 == " " || $0 == "\t" || $0 == "\"" }
            return value.prefix { $0 != "\"" && !$0.isWhitespace }
        }
    }
}
