import HTTPTypes
import ImageModel
import NIOHTTP1
import NetworkAddress

/// The requests that a server must refuse whatever they ask for (RFC 9110, RFC 9112).
enum RequestRules {
    /// The error for a request with this head; nil if it is permitted.
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
            return .badRequest("The request's Host is not a valid host name or address.")
        }
        return nil
    }

    /// RFC 9112 sections 6.1 and 6.3. A message whose end is ambiguous allows request smuggling.
    private static func framingRefusal(_ head: HTTPRequestHead) -> APIError? {
        guard head.headers.contains(name: "Transfer-Encoding") else { return nil }
        guard !head.headers.contains(name: "Content-Length") else {
            return .badRequest("The request has both Content-Length and Transfer-Encoding: send one of them.")
        }
        guard !head.version.isOld else {
            return .badRequest("The request has a Transfer-Encoding, which HTTP/1.0 does not define.")
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
        return APIError(.expectationFailed, "The request's Expect is not supported: only 100-continue is.")
    }

    /// Whether the client waits for 100 (Continue) before it sends the body.
    static func isAwaitingContinue(_ head: HTTPRequestHead) -> Bool {
        !head.version.isOld && head.headers.contains(name: "Expect")
    }

    /// Whether the decoder takes the bytes after this request for another protocol, which this server never switches to. Some
    /// clients offer HTTP/2 this way in their first request.
    static func endsDecoding(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "Upgrade")
    }

    /// The error for input that is not HTTP.
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
    /// Whether the version is older than HTTP/1.1.
    var isOld: Bool { major < 1 || (major == 1 && minor < 1) }
}

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
