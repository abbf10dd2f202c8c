/// Scans the children of an XML document's root, one level deep, which suffices for error documents.
///
/// It accepts a subset of XML: no document type and no CDATA, and only predefined and numeric entities. Any other construct
/// ends the scan. It neither recurses nor backtracks, so its time is linear in the size of the text.
struct ElementScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: some Sequence<UInt8>) { rest = Array(text)[...] }

    /// Advances past the start tag of the root.
    /// - Returns: false if the document does not begin with that root.
    mutating func openRoot(_ name: String) -> Bool {
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        skipBlanks()
        if rest.starts(with: "<?".utf8) {
            guard skip(behind: "?>") else { return false }
        }
        skipBlanks()
        guard let tag = takeTag() else { return false }
        return tag.kind == .start && tag.name == name
    }

    /// The next child with its immediate text; its own children are skipped.
    /// - Returns: nil at the end of the root, and at any construct outside of the subset.
    mutating func nextChild() -> (name: String, text: String)? {
        skipBlanks()
        guard let child = takeTag(), child.kind != .end else { return nil }
        if child.kind == .empty { return (child.name, "") }
        var text: [UInt8] = []
        var depth = 1
        while depth > 0 {
            let run = rest.prefix { $0 != UInt8(ascii: "<") }
            if depth == 1 { text += run }
            rest = rest.dropFirst(run.count)
            guard let tag = takeTag() else { return nil }
            switch tag.kind {
            case .start: depth += 1
            case .end: depth -= 1
            case .empty: break
            }
        }
        return (child.name, Self.unescaped(text))
    }

    private enum Kind { case start, end, empty }

    private mutating func takeTag() -> (kind: Kind, name: String)? {
        guard rest.first == UInt8(ascii: "<"), let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
        var inside = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        var kind = Kind.start
        if inside.first == UInt8(ascii: "/") {
            kind = .end
            inside = inside.dropFirst()
        } else if inside.last == UInt8(ascii: "/") {
            kind = .empty
            inside = inside.dropLast()
        }
        let name = inside.prefix { !Self.isBlank($0) }
        // Comments, document types and CDATA begin with these characters; none of them belongs in an error document.
        guard let first = name.first, first != UInt8(ascii: "!"), first != UInt8(ascii: "?") else { return nil }
        return (kind, String(decoding: name, as: UTF8.self))
    }

    private mutating func skip(behind mark: String) -> Bool {
        let mark = Array(mark.utf8)
        while !rest.isEmpty {
            if rest.starts(with: mark) {
                rest = rest.dropFirst(mark.count)
                return true
            }
            rest = rest.dropFirst()
        }
        return false
    }

    private mutating func skipBlanks() { rest = rest.drop(while: Self.isBlank) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func unescaped(_ text: [UInt8]) -> String {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "&"), let end = rest.prefix(10).firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: rest[..<end], as: UTF8.self))
            else {
                bytes.append(byte)
                continue
            }
            bytes += Array(String(character).utf8)
            rest = rest[rest.index(after: end)...]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func character(_ entity: String) -> Character? {
        switch entity {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard entity.hasPrefix("#") else { return nil }
        let digits = entity.dropFirst()
        let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return number.flatMap(Unicode.Scalar.init).map(Character.init)
    }
}
