import ImageModel

/// The code, message and region in the body of a store's refusal.
///
/// Error documents (Amazon S3 API reference, "Error responses") are small XML documents. Some servers include the string to
/// sign or the canonical request, which would leak parts of a request's secrets into the log. So no other elements are read.
struct S3ErrorDocument: Equatable {
    /// The code, such as `NoSuchKey` or `SlowDown`: letters, digits, dots and hyphens, at most 64.
    let code: String
    /// One sentence for a person, in at most 200 printable characters; nil if there is none.
    let message: String?
    /// The region that signatures must name; nil if the store states none.
    let region: String?

    /// The most bytes of a body that are parsed.
    static let limit = 16 << 10

    /// Parses a body.
    /// - Returns: nil if it is not an error document.
    init?(_ body: some Collection<UInt8>) {
        var scanner = ElementScanner(body.prefix(Self.limit))
        guard scanner.openRoot("Error") else { return nil }
        var found: [String: String] = [:]
        while let (name, text) = scanner.nextChild() {
            if ["Code", "Message", "Region"].contains(name), found[name] == nil { found[name] = text }
        }
        guard let code = found["Code"], Self.isName(code) else { return nil }
        self.code = code
        message = found["Message"].map(Self.printable).flatMap { $0.isEmpty ? nil : $0 }
        region = found["Region"].flatMap { Self.isName($0) ? $0 : nil }
    }

    /// The code and the message, for the log.
    var summary: String { message.map { "\(code): \($0)" } ?? code }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The text on one line, without control characters, truncated to the length of a log line.
    private static func printable(_ text: String) -> String {
        let words = text.unicodeScalars.split { $0.properties.generalCategory == .control || $0 == " " }
        let line = words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
        return line.excerpt(200)
    }
}
