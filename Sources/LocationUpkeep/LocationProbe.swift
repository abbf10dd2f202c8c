public import BackendKit
public import CurlTransfer
public import ImageModel

/// Asks a location for its first byte: does the object exist, has it the right size, what pins it?
///
/// `@unchecked Sendable`: its state is touched on the transfer loop's thread only.
public final class LocationProbe: TransferSink, Ticking, @unchecked Sendable {
    private let driver: any Driver
    private let read: ReadRequest
    private let size: Int64
    private let deadline: ContinuousClock.Instant
    private let loop: TransferLoop
    private var transfer: TransferID?
    private var verdict: Result<Validator?, AttemptFailure>?
    private var waiter: CheckedContinuation<Result<Validator?, AttemptFailure>, Never>?

    private init(driver: any Driver, path: String, size: Int64, timeout: Duration, loop: TransferLoop) {
        self.driver = driver
        read = ReadRequest(path: path, range: ByteRange(first: 0, last: 0).flatMap { size > 0 ? $0 : nil })
        self.size = size
        deadline = .now + timeout
        self.loop = loop
    }

    /// Probes one location.
    /// - Parameters:
    ///   - size: what the object must have, in bytes.
    ///   - timeout: how long to wait for the answer's head.
    /// - Returns: what pins the object, if the backend says anything; or why it can't serve.
    public static func run(
        driver: any Driver, path: String, size: Int64, timeout: Duration, loop: TransferLoop
    ) async -> Result<Validator?, AttemptFailure> {
        let probe = LocationProbe(driver: driver, path: path, size: size, timeout: timeout, loop: loop)
        return await withCheckedContinuation { continuation in
            loop.enqueue {
                probe.waiter = continuation
                loop.add(probe)
                probe.transfer = loop.start(driver.transferRequest(for: probe.read), sink: probe)
            }
        }
    }

    private func judge(_ head: ResponseHead) -> Result<Validator?, AttemptFailure> {
        driver.inspect(head, of: read).flatMap { object in
            guard let total = object.total else {
                return .failure(AttemptFailure(.wrongSize, .location, detail: "the server does not say the object's size"))
            }
            guard total == size else {
                return .failure(
                    AttemptFailure(.wrongSize, .location, detail: "the object has \(total) bytes, the image \(size)"))
            }
            return .success(object.validator)
        }
    }

    private func finish(_ result: Result<Validator?, AttemptFailure>) {
        if let transfer { loop.cancel(transfer) }
        loop.remove(self)
        waiter?.resume(returning: result)
        waiter = nil
    }

    /// Nothing to do: the deadline runs from the start.
    public func transferBegan(_ transfer: TransferID) {}

    /// The head is all that is wanted.
    public func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool {
        verdict = judge(head)
        return false
    }

    /// Not reached: the head is always turned down.
    public func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer) {}

    /// Not reached: the head is always turned down.
    public func transfer(_ transfer: TransferID, slab: Slab) {}

    /// Nothing to do: the end follows at once.
    public func transferSettled(_ transfer: TransferID) {}

    /// Answers with the verdict on the head, or with the error that came before one.
    public func transfer(_ transfer: TransferID, endedWith error: TransferError?) {
        let none = TransferError(.connectionLost, message: "the connection ended before an answer")
        finish(verdict ?? .failure(driver.classify(error ?? none)))
    }

    /// Gives up when the time is over.
    public func tick(_ now: ContinuousClock.Instant) {
        if now >= deadline { finish(.failure(AttemptFailure(.stall, .backend, detail: "no answer in time"))) }
    }
}
