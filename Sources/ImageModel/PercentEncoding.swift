/// Percent-encoding of URLs (RFC 3986 section 2.1).
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Escapes everything but unreserved characters (RFC 3986 section 2.3).
    /// - Parameter kept: further ASCII characters that stay as they are.
    package static func encode(_ text: some StringProtocol, keeping kept: String = "") -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case let byte where kept.utf8.contains(byte): bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decodes a text to bytes; nil if one of its escapes is malformed.
    package static func bytes(of text: some StringProtocol) -> [UInt8]? { decoded(text) { nil } }

    /// Decodes a part of a URL. A malformed escape stays as it is; invalid UTF-8 becomes U+FFFD.
    package static func decode(_ part: some StringProtocol) -> String {
        String(decoding: decoded(part) { UInt8(ascii: "%") } ?? [], as: UTF8.self)
    }

    /// - Parameter malformed: the replacement for a percent sign that begins no escape; nil rejects the text.
    private static func decoded(_ text: some StringProtocol, malformed: () -> UInt8?) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            // `UInt8.init` also accepts a sign before a digit.
            guard rest.count >= 2, rest.first != UInt8(ascii: "+"), rest.first != UInt8(ascii: "-"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                guard let replacement = malformed() else { return nil }
                bytes.append(replacement)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
