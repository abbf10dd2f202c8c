import HTTPTypes
import ImageModel
import NIOHTTP1

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
