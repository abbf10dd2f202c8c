package import CurlTransfer

/// The way to Keystone over a transfer loop.
package struct LoopTransport: KeystoneTransport {
    /// A token's description has a few KiB.
    private static let limit = 1 << 20

    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long one exchange may take.
    package init(loop: TransferLoop, timeout: Duration) {
        self.loop = loop
        self.timeout = timeout
    }

    /// Sends one request and waits for the whole answer.
    package func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer {
        try await Exchange.run(request, on: loop, limit: Self.limit, timeout: timeout)
    }
}
