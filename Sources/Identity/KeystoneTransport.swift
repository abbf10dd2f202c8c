package import CurlTransfer

/// The way to Keystone, so that what is decided can be tested without one.
package protocol KeystoneTransport: Sendable {
    /// Sends one request and waits for the whole answer, whatever its status.
    func send(_ request: TransferRequest) async throws(TransferError) -> Exchange.Answer
}
