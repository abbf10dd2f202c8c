package import CurlTransfer

/// The transport of requests to Keystone, so that the logic can be tested without one.
package protocol KeystoneTransport: Sendable {
    /// Sends one request and waits for the complete response, whatever its status.
    func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer
}
