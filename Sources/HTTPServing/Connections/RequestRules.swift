import HTTPTypes
import ImageModel
import NIOHTTP1

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
