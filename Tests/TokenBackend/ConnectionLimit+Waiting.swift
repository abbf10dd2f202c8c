package import BackendKit
import Waiting

extension ConnectionLimit {
    /// Asks for a connection and waits for it.
    package func acquire(for queueKey: QueueKey) async throws -> ConnectionPermit {
        let (admissions, admission) = AsyncStream.makeStream(of: Void.self)
        let (permit, isAdmitted) = enter(queueKey) { admission.yield() }
        if !isAdmitted { try await first(of: admissions, "a connection") }
        return permit
    }
}
