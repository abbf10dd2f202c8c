import ImageModel

/// Parses JSON (RFC 8259) in one pass and without recursion. The cost depends on the length of the text alone.
struct JSONReader {
    /// Limits that no legitimate request exceeds.
    struct Limits {
        /// The maximum nesting depth of arrays and objects.
        var depth = 16
        /// The maximum number of values and member names.
        var values = 16_384
    }

    /// Why a text is rejected.
    enum Failure: Error, Equatable {
        case malformed
        case tooDeep
        case tooMany
    }

    /// An array or an object that is not closed yet.
    private struct Frame {
        /// The name of the next member; nil in an array.
        var name: String?
        var items: [JSONValue] = []
        var members: [String: JSONValue] = [:]

        mutating func add(_ value: JSONValue) {
            // The last of several members with the same name counts, as in Python's parser.
            if let name { members[name] = value } else { items.append(value) }
        }

        var value: JSONValue { name == nil ? .array(items) : .object(members) }
        var end: UInt8 { UInt8(ascii: name == nil ? "]" : "}") }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: Limits
    private var position = 0
    private var count = 0

    /// Parses a whole text.
    static func value(of text: UnsafeBufferPointer<UInt8>, limits: Limits = Limits()) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: text, limits: limits)
        return try reader.document()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    private mutating func document() throws(Failure) -> JSONValue {
        var open: [Frame] = []
        while true {
            guard var value = try begin(&open) else { continue }
            while let last = open.indices.last {
                open[last].add(value)
                let byte = try next()
                position += 1
                if byte == UInt8(ascii: ",") {
                    if open[last].name != nil { open[last].name = try name() }
                    break
                }
                guard byte == open[last].end else { throw .malformed }
                value = open.removeLast().value
            }
            guard open.isEmpty else { continue }
            skipBlanks()
            guard position == bytes.count else { throw .malformed }
            return value
        }
    }

    /// Parses a value. Returns nil when it opens an array or an object that is not empty.
    private mutating func begin(_ open: inout [Frame]) throws(Failure) -> JSONValue? {
        try countOne()
        let byte = try next()
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < limits.depth else { throw .tooDeep }
            position += 1
            let isObject = byte == UInt8(ascii: "{")
            if try next() == UInt8(ascii: isObject ? "}" : "]") {
                position += 1
                return isObject ? .object([:]) : .array([])
            }
            open.append(Frame(name: isObject ? try name() : nil))
            return nil
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func countOne() throws(Failure) {
        count += 1
        guard count <= limits.values else { throw .tooMany }
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    /// The next byte that is not whitespace.
    private mutating func next() throws(Failure) -> UInt8 {
        skipBlanks()
        guard position < bytes.count else { throw .malformed }
        return bytes[position]
    }

    /// Parses a member's name and the colon after it.
    private mutating func name() throws(Failure) -> String {
        try countOne()
        guard try next() == UInt8(ascii: "\"") else { throw .malformed }
        let name = try string()
        guard try next() == UInt8(ascii: ":") else { throw .malformed }
        position += 1
        return name
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else { throw .malformed }
            position += 1
        }
        return value
    }
}

// Numbers.
extension JSONReader {
    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits() }
        var isWhole = true
        if peek == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw .malformed }
        // 1.0 and 1e3 are integers, whatever their spelling.
        return Int64(exactly: double).map { .integer($0) } ?? .number(double)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw .malformed }
    }
}

// Strings.
extension JSONReader {
    private mutating func string() throws(Failure) -> String {
        position += 1
        var start = position
        var decoded: [UInt8]?
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                let rest = UnsafeBufferPointer(rebasing: bytes[start..<position])
                position += 1
                decoded?.append(contentsOf: rest)
                let text = decoded.map { String(validating: $0, as: UTF8.self) } ?? String(validating: rest, as: UTF8.self)
                guard let text else { throw .malformed }
                return text
            case UInt8(ascii: "\\"):
                var soFar = decoded ?? []
                decoded = nil  // the only owner appends in place
                soFar.append(contentsOf: bytes[start..<position])
                position += 1
                try escaped(&soFar)
                decoded = soFar
                start = position
            case 0..<0x20: throw .malformed
            default: position += 1
            }
        }
        throw .malformed
    }

    private mutating func escaped(_ text: inout [UInt8]) throws(Failure) {
        guard let byte = peek else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try scalar())).utf8)
        default: throw .malformed
        }
    }

    /// The scalar of a `\u` escape, or of a surrogate pair of two escapes.
    private mutating func scalar() throws(Failure) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), peek == UInt8(ascii: "\\") else { throw .malformed }
        position += 1
        guard peek == UInt8(ascii: "u") else { throw .malformed }
        position += 1
        let second = try codeUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw .malformed }
        return scalar
    }

    private mutating func codeUnit() throws(Failure) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw .malformed }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}
