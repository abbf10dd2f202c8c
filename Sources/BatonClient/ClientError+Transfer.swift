import CurlTransfer

extension ClientError {
    /// The message for a transfer error, for a person at the command line.
    static func unreachable(_ endpoint: Endpoint, _ error: TransferError) -> ClientError {
        let url = endpoint.url
        switch error.kind {
        case .connect, .connectTimeout, .resolve:
            return ClientError(
                .unreachable,
                "No server answers at \(url) (\(error.message)): start one with `baton serve`, or give another with --endpoint."
            )
        case .noAnswer: return .silent(endpoint)
        case .untrusted:
            let advice =
                endpoint.authorities.map { "the certificates in \($0) do not vouch for it, or it is for another name" }
                ?? "if it signs itself, or has an authority of your own, give that certificate's file with --ca-file"
            return ClientError(.untrusted, "The certificate of \(url) is not trusted (\(error.message)): \(advice).")
        case .tls:
            return ClientError(
                .untrusted,
                "TLS with \(url) did not come about (\(error.message)): if the server speaks plain HTTP, write http://.")
        case .protocolViolation:
            return ClientError(.invalidInput, "\(url) sent no HTTP answer (\(error.message)); is it a Baton server?")
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
