import BackendKit
import CurlTransfer
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
        let loop = TransferLoop()
        defer { loop.stop() }
        let relays = Relays(
            registry: BackendRegistry([]), loops: [loop], policy: RelayPolicy(), strategy: .ordered, penalty: .seconds(60))
        let (location, backend) = (LocationID(), BackendID("b"))
        for _ in 0..<20 { relays.locationFailed(location, in: backend, failure) }
        #expect((relays.health(of: backend).breaker.state == .open) == opens)
        #expect(relays.lastFailure(of: location)?.failure == failure)
    }
}
