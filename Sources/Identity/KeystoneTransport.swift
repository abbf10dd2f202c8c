public import CurlTransfer

/// An answer of Keystone, whole.
public struct KeystoneAnswer: Sendable {
    /// The head.
    public let head: ResponseHead
    /// The body.
    public let body: [UInt8]

    /// An answer with every property given.
    public init(head: ResponseHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

/// The way to Keystone, so that what is decided can be tested without one.
public protocol KeystoneTransport: Sendable {
    /// Sends one request and waits for the whole answer, whatever its status.
    func send(_ request: TransferRequest) async throws(TransferError) -> KeystoneAnswer
}
