public import BackendKit
public import CurlTransfer
public import ImageModel

/// Asks what lies at a place, with a read of its first byte.
public struct ObjectInquiry: Sendable {
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long to wait for an answer's head.
    public init(registry: BackendRegistry, loop: TransferLoop, timeout: Duration) {
        self.registry = registry
        self.loop = loop
        self.timeout = timeout
    }

    /// What an object's backend says of it: its size and what pins it; or why that can't be told.
    /// - Parameter isEmpty: whether it is known to have no byte that could be asked for.
    public func head(
        of path: String, in backend: BackendID, isEmpty: Bool = false
    ) async -> Result<ObjectHead, AttemptFailure> {
        guard let driver = registry[backend]?.driver else {
            return .failure(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let read = ReadRequest(path: path, range: isEmpty ? nil : ByteRange(first: 0, last: 0))
        do throws(TransferError) {
            let answer = try await Exchange.run(
                driver.transferRequest(for: read), on: loop, limit: 0, timeout: timeout)
            return driver.inspect(answer.head, of: read)
        } catch {
            return .failure(driver.classify(error))
        }
    }
}
