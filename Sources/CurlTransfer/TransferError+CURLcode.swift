import CCurl

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
