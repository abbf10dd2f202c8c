import CCurl

/// The reason why a transfer failed. The driver decides which party is at fault and how to react.
package struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure.
    package enum Kind: Sendable, Equatable {
        /// The server's name has no address.
        case resolve
        /// The connection failed for another reason than a timeout.
        case connect
        /// The connection was not established in time.
        case connectTimeout
        /// The server's name resolved to an address that may not be connected to.
        case refusedAddress
        /// The response, or the rest of it, did not arrive in time.
        case noAnswer
        /// The TLS handshake failed, or a file that it needs can't be used.
        case tls
        /// The server's certificate is not trusted, or it is for another name.
        case untrusted
        /// The connection ended or broke before the response was complete.
        case connectionLost
        /// The response is not HTTP.
        case protocolViolation
        /// The sink rejected the head.
        case rejected
        /// A file could not be opened or read.
        case file(errno: Int32)
        /// The path does not name a regular file.
        case notRegularFile
        /// The file was changed or replaced while it was read.
        case fileChanged
        /// This process ran out of memory, descriptors or a similar resource.
        case local
        /// Any other code of libcurl.
        case other
    }

    package let kind: Kind
    /// The message of libcurl or the system, without URLs and secrets.
    package let message: String

    package init(_ kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

extension TransferError {
    /// The error for a result code of libcurl; nil for success.
    init?(_ code: CURLcode) {
        guard code != CURLE_OK else { return nil }
        let kind: Kind =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connect
            // There is no total timeout, so a timeout can only occur while connecting.
            case CURLE_OPERATION_TIMEDOUT: .connectTimeout
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS: .untrusted
            case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE: .tls
            case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING: .connectionLost
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING:
                .protocolViolation
            case CURLE_WRITE_ERROR: .rejected
            case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: .local
            default: .other
            }
        self.init(kind, message: String(cString: curl_easy_strerror(code)))
    }
}
