package import BackendKit
package import CurlTransfer
package import ImageModel
import Synchronization

/// Asks what lies at a place, with a read of its first byte.
package final class ObjectProbe: Sendable {
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeLimit: Mutex<Duration>

    /// - Parameter timeout: how long to wait for an answer's head, and before it for a connection and for credentials.
    package init(registry: BackendRegistry, loop: TransferLoop, timeout: Duration) {
        self.registry = registry
        self.loop = loop
        timeLimit = Mutex(timeout)
    }

    /// How long to wait for an answer's head, and before it for a connection and for credentials.
    package var timeout: Duration {
        get { timeLimit.withLock { $0 } }
        set { timeLimit.withLock { $0 = newValue } }
    }

    /// What an object's backend says of it: its size and what pins it; or why that can't be told.
    /// - Parameter isEmpty: whether it is known to have no byte that could be asked for.
    package func head(
        of path: String, in backend: BackendID, isEmpty: Bool = false
    ) async -> Result<ObjectHead, AttemptFailure> {
        guard let backend = registry[backend] else {
            return .failure(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let read = ReadRequest(path: path, range: isEmpty ? nil : ByteRange(first: 0, last: 0))
        let timeout = timeout
        do throws(AttemptFailure) {
            let place = try await backend.connections?.place(for: .probe, within: timeout)
            defer { place?.leave() }
            // From here on: who waited long for a place must not attribution the backend for the rest of the time.
            return .success(try await ask(backend.driver, read, until: .now + timeout))
        } catch {
            return .failure(error)
        }
    }

    /// Asks with credentials that are ready, and once more with newer ones if those are refused.
    private func ask(
        _ driver: any Driver, _ read: ReadRequest, until deadline: ContinuousClock.Instant
    ) async throws(AttemptFailure) -> ObjectHead {
        guard let credentials = driver.credentials else { return try await askOnce(driver, read, until: deadline).get() }
        if !credentials.areReady { try await credentials.renew(beyond: credentials.generation, within: deadline - .now) }
        let generation = credentials.generation
        let answer = await askOnce(driver, read, until: deadline)
        guard case .failure(let failure) = answer, failure.asksForCredentials else { return try answer.get() }
        try await credentials.renew(beyond: generation, within: deadline - .now)
        return try await askOnce(driver, read, until: deadline).get()
    }

    private func askOnce(
        _ driver: any Driver, _ read: ReadRequest, until deadline: ContinuousClock.Instant
    ) async -> Result<ObjectHead, AttemptFailure> {
        do throws(TransferError) {
            let answer = try await Exchange.run(
                driver.transferRequest(for: read), on: loop, timeout: deadline - .now,
                keeping: { $0.status >= 300 ? driver.refusalLimit : 0 })
            return driver.inspect(answer.head, of: read).mapError { failure in
                guard var refusal = driver.refusal(failure, answer.head) else { return failure }
                refusal.take(answer.body)
                return driver.explain(refusal)
            }
        } catch {
            return .failure(driver.classify(error))
        }
    }
}
