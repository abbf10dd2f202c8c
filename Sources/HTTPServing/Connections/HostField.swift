import NetworkAddress

/// The value of a `Host` field, or the authority of a URL: a name or an address, maybe with a port (RFC 9110 section 7.2).
///
/// Names have letters, digits, `.`, `-` and `_` only: everything else that RFC 3986 allows in a host is of no use in a link.
struct HostField: Sendable, Equatable, CustomStringConvertible {
    /// In lower case, an address of version 6 without its brackets.
    let host: String
    /// Nil if none is given.
    let port: Int?

    /// Reads a field's value; nil if it is no host.
    init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let address = text[..<end].dropFirst()
            guard address.contains(":"), !address.contains("%"), IPAddress(address) != nil else { return nil }
            host = String(address)
            rest = text[end...].dropFirst()
        } else {
            let name = text.prefix { $0 != ":" }
            guard !name.isEmpty, name.utf8.count <= 255, name.utf8.allSatisfy(Self.isOfName) else { return nil }
            host = String(name)
            rest = text[name.endIndex...]
        }
        guard !rest.isEmpty else {
            port = nil
            return
        }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        // An empty port is the scheme's own (RFC 3986 section 3.2.3).
        guard digits.isEmpty || UInt16(digits) != nil else { return nil }
        port = UInt16(digits).map(Int.init)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// As it stands in a URL.
    var description: String {
        (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
    }
}
