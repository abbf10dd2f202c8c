import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// Which failures of locations count against their backends.
@Suite struct SuspectBackendTests {
    @Test(
        "A backend's breaker opens only for the backend's own failures",
        arguments: [
            (AttemptFailure(.connect, .backend, detail: "played"), true),
            (AttemptFailure(.reset, .backend, detail: "played"), true),
            (AttemptFailure(.diskError, .backend, detail: "played"), false),
            (AttemptFailure(.missing, .location, detail: "played"), false),
            (AttemptFailure(.denied, .credentials, detail: "played"), false),
            (AttemptFailure(.exhausted, .local, detail: "played"), false),
            (AttemptFailure(.throttled, .throttled, detail: "played"), false),
            (AttemptFailure(.withdrawn, .backend, detail: "played"), false),
            (AttemptFailure(.busy, .backend, detail: "played"), false),
        ])
    func breakers(failure: AttemptFailure, opens: Bool) {
        let health = HealthRecord(penalty: .seconds(60), breaker: Breaker.Limits())
        let (location, backend) = (LocationID(), BackendID("b"))
        for _ in 0..<20 { health.locationFailed(location, in: backend, failure) }
        #expect((health[backend].breaker.state == .open) == opens)
        #expect(health.lastFailure(of: location)?.failure == failure)
    }
}
