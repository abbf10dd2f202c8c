import HTTPTypes
import ImageModel
import NIOHTTP1
import NetworkAddress

/// What a server must refuse of a message before anybody looks at what is asked (RFC 9110, RFC 9112).
enum RequestRules {
    /// Why a request with this head is refused; nil if it is not.
    static func refusal(of head: HTTPRequestHead) -> APIError? {
        hostRefusal(head) ?? framingRefusal(head) ?? expectationRefusal(head)
    }

    /// RFC 9112 section 3.2.
    private static func hostRefusal(_ head: HTTPRequestHead) -> APIError? {
        let hosts = head.headers["Host"]
        guard hosts.count < 2 else { return .badRequest("The request has \(hosts.count) Host fields: send one.") }
        guard let host = hosts.first else {
            return head.version.isOld ? nil : .badRequest("The request has no Host field, which HTTP/1.1 requires.")
        }
        guard host.isEmpty || HostField(host) != nil else {
            return .badRequest("The request's Host is no name or address of a server.")
        }
        return nil
    }

    /// RFC 9112 sections 6.1 and 6.3. A message that two readers can end at different bytes is how requests are smuggled.
    private static func framingRefusal(_ head: HTTPRequestHead) -> APIError? {
        guard head.headers.contains(name: "Transfer-Encoding") else { return nil }
        guard !head.headers.contains(name: "Content-Length") else {
            return .badRequest("The request has both Content-Length and Transfer-Encoding: send one of them.")
        }
        guard !head.version.isOld else {
            return .badRequest("The request has a Transfer-Encoding, which HTTP/1.0 does not know.")
        }
        let codings = head.headers[canonicalForm: "Transfer-Encoding"].map { $0.lowercased() }
        if codings == ["chunked"] { return nil }
        guard codings.allSatisfy({ $0 == "chunked" || $0.isEmpty }) else {
            return APIError(
                .notImplemented, "The request's Transfer-Encoding is not supported: send it chunked, or with a Content-Length.")
        }
        return .badRequest("The request's Transfer-Encoding must name chunked once.")
    }

    /// RFC 9110 section 10.1.1.
    private static func expectationRefusal(_ head: HTTPRequestHead) -> APIError? {
        let isMet = head.headers[canonicalForm: "Expect"].allSatisfy { $0.lowercased() == "100-continue" }
        guard !head.version.isOld, !isMet else { return nil }
        return APIError(.expectationFailed, "The request's Expect can't be met: only 100-continue is known.")
    }

    /// Whether a client waits for a word before it sends the body.
    static func awaitsContinue(_ head: HTTPRequestHead) -> Bool {
        !head.version.isOld && head.headers.contains(name: "Expect")
    }

    /// Whether the decoder takes what follows for another protocol, to which nobody here changes. (Some clients offer HTTP/2 that way with
    /// their first request.)
    static func endsDecoding(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "Upgrade")
    }

    /// The answer to what is no HTTP.
    static func refusal(of error: HTTPParserError) -> APIError {
        switch error {
        case .headerOverflow:
            APIError(
                .requestHeaderFieldsTooLarge,
                "The head of the request is larger than server.max_header_size: send fewer or shorter header fields, or a "
                    + "shorter URL.")
        case .invalidVersion:
            APIError(.httpVersionNotSupported, "The request's version of HTTP is not supported: use HTTP/1.1 or HTTP/1.0.")
        case .invalidChunkSize: .badRequest("The request's body has a malformed chunk.")
        case .invalidEOFState: .badRequest("The request ended before it was complete.")
        default: .badRequest("The request is not valid HTTP.")
        }
    }
}

extension HTTPVersion {
    /// Whether it is one before HTTP/1.1.
    var isOld: Bool { major < 1 || (major == 1 && minor < 1) }
}

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
