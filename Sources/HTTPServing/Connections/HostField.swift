import NetworkAddress

/// The value of a `Host` field, or the authority of a URL: a name or an address, optionally with a port (RFC 9110 section 7.2).
///
/// Names consist of letters, digits, `.`, `-` and `_`. RFC 3986 allows more, none of which is useful in a link.
struct HostField: Sendable, Equatable, CustomStringConvertible {
    /// In lower case; an IPv6 address has no brackets.
    let host: String
    /// Nil without a port.
    let port: Int?

    /// Parses the value of a field; nil if it is not a host.
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
        // An empty port stands for the scheme's default (RFC 3986 section 3.2.3).
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

    /// The host as a URL spells it.
    var description: String {
        (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
    }
}
