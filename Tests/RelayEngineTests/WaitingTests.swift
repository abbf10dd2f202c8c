import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// What a relay does while an attempt waits for its permit, its credentials or a worker.
@Suite struct WaitingTests {
    private let start = ContinuousClock.now
    private let whole = ByteRange(first: 0, last: 999)

    private func attempt(_ number: Int) -> AttemptID { AttemptID(number: number) }

    private func machine(_ candidates: RelayPlan.Candidate...) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.tail = 10
        return RelayStateMachine(plan: RelayPlan(whole: 1000, candidates: candidates), policy: policy, seed: 1, at: start)
    }

    private func failures(_ actions: [RelayAction]) -> [AttemptFailure] {
        actions.compactMap { if case .report(.failed(_, let failure)) = $0 { failure } else { nil } }
    }

    /// The relay's time is over while the attempt waits.
    private func expectEnd(because reasons: [AttemptFailure.Reason], _ machine: inout RelayStateMachine) {
        let end = start + machine.policy.giveUpAfter
        #expect(machine.handle(.tick, at: end - .milliseconds(1)).isEmpty)
        let actions = machine.handle(.tick, at: end)
        #expect(failures(actions).map(\.reason) == reasons)
        #expect(actions.suffix(2) == [.cancel(attempt(0)), .refuse])
        #expect(machine.failures.map(\.failure.reason) == reasons)
    }

    @Test("An attempt that never got its permit has failed for that when the relay's time is over")
    func withoutAPermit() {
        var machine = machine(.init(timeout: .seconds(1)))
        #expect(machine.handle(.begin, at: start) == [.start(attempt(0), candidate: 0, range: whole)])
        expectEnd(because: [.busy], &machine)
    }

    @Test("An attempt that no worker took up has failed for that when the relay's time is over")
    func withoutAWorker() {
        var machine = machine(.init(maximumRange: 100))
        #expect(
            machine.handle(.begin, at: start) == [.start(attempt(0), candidate: 0, range: ByteRange(first: 0, last: 99))])
        _ = machine.handle(.requested(attempt(0)), at: start)
        expectEnd(because: [.busy], &machine)
    }

    @Test("An attempt that waits for its credentials says nothing of its location when the relay's time is over")
    func withoutCredentials() {
        var machine = machine(.init())
        _ = machine.handle(.begin, at: start)
        expectEnd(because: [], &machine)
    }

    @Test("Credentials that are refused after their renewal make the relay move on")
    func refusedCredentials() {
        var machine = machine(.init(), .init())
        _ = machine.handle(.begin, at: start)
        let unauthorized = AttemptFailure(.unauthorized, .credentials, detail: "answered with status 401")
        let actions = machine.handle(.failed(attempt(0), unauthorized), at: start)
        #expect(failures(actions) == [unauthorized])
        #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
    }

    @Test("A relay that ends while it waits ends cleanly")
    func endWhileItWaits() {
        var machine = machine(.init(timeout: .seconds(1)))
        _ = machine.handle(.begin, at: start)
        #expect(machine.handle(.clientGone, at: start) == [.cancel(attempt(0)), .abort(.clientGone)])
        #expect(machine.handle(.permitted(attempt(0)), at: start).isEmpty)
        #expect(machine.handle(.requested(attempt(0)), at: start).isEmpty)
    }

    @Test("A location withdrawn while it is waited for is left")
    func withdrawnWhileItWaits() {
        var machine = machine(.init(timeout: .seconds(1)), .init())
        _ = machine.handle(.begin, at: start)
        let actions = machine.handle(.withdrawn(candidate: 0, atOnce: false), at: start)
        #expect(actions.first == .cancel(attempt(0)))
        #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
    }
}
