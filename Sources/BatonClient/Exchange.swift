internal import CurlTransfer

/// One request and its whole answer in memory, for answers that are small.
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
final class Exchange: TransferSink, @unchecked Sendable {
    /// More than any list of ours; a server that sends more is not one of ours.
    private static let limit = 64 << 20

    private let url: String
    private var head: ResponseHead?
    private var body: [UInt8] = []
    private var waiter: CheckedContinuation<Endpoint.Answer, any Error>?

    private init(url: String) { self.url = url }

    static func run(_ request: TransferRequest, on loop: TransferLoop, at url: String) async throws -> Endpoint.Answer {
        let exchange = Exchange(url: url)
        return try await withCheckedThrowingContinuation { waiter in
            loop.enqueue {
                exchange.waiter = waiter
                _ = loop.start(request, sink: exchange)
            }
        }
    }

    func transferBegan(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        self.head = head
        return true
    }

    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {
        if body.count < Self.limit { body.append(contentsOf: bytes) }
    }

    func transfer(_ transfer: TransferID, slab: Slab) {}

    func transferSettled(_ transfer: TransferID) {}

    func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        if let error {
            waiter?.resume(throwing: ClientError.unreachable(url, error))
        } else if let head {
            waiter?.resume(returning: Endpoint.Answer(head: head, body: body))
        } else {
            waiter?.resume(throwing: ClientError(.nonsense, "\(url) sent no HTTP answer; is it a Baton server?"))
        }
        waiter = nil
    }
}

extension ClientError {
    static func unreachable(_ url: String, _ error: TransferError) -> ClientError {
        switch error.kind {
        case .connect, .connectTimeout, .resolve:
            ClientError(
                .unreachable,
                "No server answers at \(url) (\(error.message)): start one with `baton serve`, or give another with --endpoint."
            )
        default:
            ClientError(.unreachable, "The connection to \(url) broke (\(error.message)): try again.")
        }
    }
}
