package import CurlTransfer

/// A transport of Keystone requests over a transfer loop.
package struct LoopTransport: KeystoneTransport {
    /// The largest response in bytes; a token's description has a few KiB.
    private static let limit = 1 << 20

    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: the timeout of one exchange.
    package init(loop: TransferLoop, timeout: Duration) {
        self.loop = loop
        self.timeout = timeout
    }

    package func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer {
        try await Exchange.run(request, on: loop, limit: Self.limit, timeout: timeout)
    }
}
