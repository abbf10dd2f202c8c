import CurlTransfer

/// The reason why a command failed; one sentence for a person.
package struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. It decides the exit code and whether a retry makes sense.
    package enum Kind: Sendable, Equatable {
        /// There is no server, or the connection to it broke.
        case unreachable
        /// The server's certificate is not trusted, so it may be another server.
        case untrusted
        /// The server refused the request with this status.
        case refused(status: Int)
        /// The bytes do not match the image's digest.
        case corrupt
        /// A local file operation failed.
        case file
        /// The server's response is malformed.
        case invalidInput
        /// The user declined when asked for confirmation.
        case declined
        /// The reader of the output closed it.
        case readerGone
    }

    package let kind: Kind
    /// What failed, where, and the remedy.
    package let message: String
    /// The delay that the server asked for.
    package let retryAfter: Duration?

    package init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { message }

    /// Whether a retry may succeed a little later.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .refused(status: 502...504), .refused(status: 429): true
        case .untrusted, .refused, .corrupt, .file, .invalidInput, .declined, .readerGone: false
        }
    }
}

extension ClientError {
    /// The message for a transfer error, for a person at the command line.
    static func unreachable(_ endpoint: Endpoint, _ error: TransferError) -> ClientError {
        let url = endpoint.url
        switch error.kind {
        case .connect, .connectTimeout, .resolve:
            return ClientError(
                .unreachable,
                "No server answers at \(url) (\(error.message)): start a server with `baton serve`, or give another URL with --endpoint."
            )
        case .noAnswer: return .silent(endpoint)
        case .untrusted:
            let advice =
                endpoint.authorities.map { "no authority in \($0) has signed it, or it is for another name" }
                ?? "if it is self-signed or comes from a private authority, give the certificate's file with --ca-file"
            return ClientError(.untrusted, "The certificate of \(url) is not trusted (\(error.message)): \(advice).")
        case .tls:
            return ClientError(
                .untrusted,
                "The TLS handshake with \(url) failed (\(error.message)): if the server speaks plain HTTP, write http://.")
        case .protocolViolation:
            return ClientError(.invalidInput, "\(url) sent no HTTP response (\(error.message)); is it a Baton server?")
        default:
            return ClientError(.unreachable, "The connection to \(url) broke (\(error.message)): try again.")
        }
    }

    /// The error for a server that accepts the connection and sends nothing.
    static func silent(_ endpoint: Endpoint) -> ClientError {
        ClientError(
            .unreachable, "\(endpoint.url) sent nothing for \(endpoint.timeout.components.seconds) s: try again.")
    }
}
