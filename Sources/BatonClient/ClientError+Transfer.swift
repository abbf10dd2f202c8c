internal import CurlTransfer

extension ClientError {
    /// What a transfer's error means to a person at the command line.
    static func unreachable(_ url: String, _ error: TransferError) -> ClientError {
        switch error.kind {
        case .connect, .connectTimeout, .resolve:
            ClientError(
                .unreachable,
                "No server answers at \(url) (\(error.message)): start one with `baton serve`, or give another with --endpoint."
            )
        case .protocolViolation:
            ClientError(.nonsense, "\(url) sent no HTTP answer (\(error.message)); is it a Baton server?")
        default:
            ClientError(.unreachable, "The connection to \(url) broke (\(error.message)): try again.")
        }
    }
}
