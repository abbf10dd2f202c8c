import ImageModel

/// What a store says in the body of a refusal: its code and its message, and nothing else of it.
///
/// Error documents (Amazon S3 API reference, "Error responses") are small XML texts. Some servers put the string to sign or the
/// canonical request beside the message; those would carry parts of a request's secrets into a log, so only two elements are read.
struct S3ErrorDocument: Equatable {
    /// `NoSuchKey`, `SlowDown`, …: letters, digits, dots and hyphens, at most 64.
    let code: String
    /// One sentence for a person, in printable characters, at most 200; nil if there is none.
    let message: String?
    /// The region that the store wants a signature to name; nil if it says none.
    let region: String?

    /// The most bytes of a body that are looked at.
    static let limit = 16 << 10

    /// Reads a body.
    /// - Returns: nil when it is no error document.
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

    /// The code and the message as they go into a log.
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

    /// The text on one line, without control characters, cut to what a log line has room for.
    private static func printable(_ text: String) -> String {
        let words = text.unicodeScalars.split { $0.properties.generalCategory == .control || $0 == " " }
        let line = words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
        return line.excerpt(200)
    }
}
