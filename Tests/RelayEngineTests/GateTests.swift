import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// What an attempt needs before its request: a permit for one of the backend's connections, and valid credentials.
@Suite struct GateTests {
    private static let unauthorized = AttemptFailure(.unauthorized, .credentials, detail: "answered with status 401")
    private let start = ContinuousClock.now
    private let whole = ByteRange(first: 0, last: 999)

    private func attempt(_ number: Int) -> AttemptID { AttemptID(number: number) }

    private func machine(_ candidates: RelayPlan.Candidate...) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.tail = 10
        return RelayStateMachine(plan: RelayPlan(whole: 1000, candidates: candidates), policy: policy, seed: 1, at: start)
    }

    /// Takes an attempt from its start to `count` bytes.
    private func read(_ count: Int64, _ id: AttemptID, from first: Int64 = 0, _ machine: inout RelayStateMachine) {
        _ = machine.handle(.began(id), at: start)
        _ = machine.handle(.head(id, ObjectHead(first: first, count: 1000 - first, total: 1000, validator: nil)), at: start)
        _ = machine.handle(.bytes(id, dropped: 0, kept: count), at: start)
    }

    private func failures(_ actions: [RelayAction]) -> [AttemptFailure] {
        actions.compactMap { if case .report(.failed(_, let failure)) = $0 { failure } else { nil } }
    }

    /// Expects the relay to wait `timeout` for the first candidate, and then to move to the second.
    private func expectMove(
        after timeout: Duration, because reason: AttemptFailure.Reason, _ machine: inout RelayStateMachine
    ) {
        #expect(machine.handle(.tick, at: start + timeout - .milliseconds(1)).isEmpty)
        let actions = machine.handle(.tick, at: start + timeout)
        #expect(actions.first == .cancel(attempt(0)))
        #expect(failures(actions).map(\.reason) == [reason])
        #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
    }

    // MARK: Credentials

    @Test("A request is sent once its credentials are ready")
    func aRequestIsSentOnceItsCredentialsAreReady() {
        var machine = machine(.init(renewsCredentials: true))
        #expect(machine.handle(.begin, at: start) == [.renew(attempt(0), candidate: 0, beyondLast: false)])
        #expect(machine.handle(.renewed(attempt(7)), at: start).isEmpty, "another attempt's credentials")
        #expect(machine.handle(.renewed(attempt(0)), at: start) == [.start(attempt(0), candidate: 0, range: whole)])
        #expect(machine.handle(.renewed(attempt(0)), at: start).isEmpty, "asked twice")
    }

    @Test("A token that ended is renewed, and the same byte is requested at the same location")
    func aTokenThatEndedIsRenewedAtTheSameLocation() {
        var machine = machine(.init(renewsCredentials: true), .init())
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.renewed(attempt(0)), at: start)
        read(100, attempt(0), &machine)
        // A break in mid-relay: the other location goes on, breaks too, and the first is asked again.
        let reset = AttemptFailure(.reset, .backend, detail: "played")
        #expect(
            machine.handle(.failed(attempt(0), reset), at: start).last
                == .start(attempt(1), candidate: 1, range: ByteRange(first: 100, last: 999)))
        let later = start + .seconds(1)
        let missing = AttemptFailure(.missing, .location, detail: "played")
        #expect(
            machine.handle(.failed(attempt(1), missing), at: later).last
                == .renew(attempt(2), candidate: 0, beyondLast: false))
        _ = machine.handle(.renewed(attempt(2)), at: later)
        let left = machine.budget.left
        #expect(
            machine.handle(.failed(attempt(2), Self.unauthorized), at: later)
                == [.renew(attempt(3), candidate: 0, beyondLast: true)], "no report of a failure, no move")
        #expect(
            machine.handle(.renewed(attempt(3)), at: later)
                == [.start(attempt(3), candidate: 0, range: ByteRange(first: 100, last: 999))])
        #expect(machine.budget.left == left, "a renewal is no revisit")
        read(900, attempt(3), from: 100, &machine)
        #expect(machine.phase == .verifying)
    }

    @Test("A second refusal right after a renewal is a failure")
    func aSecondRefusalRightAfterARenewalIsAFailure() {
        var machine = machine(.init(renewsCredentials: true), .init())
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.renewed(attempt(0)), at: start)
        _ = machine.handle(.failed(attempt(0), Self.unauthorized), at: start)
        _ = machine.handle(.renewed(attempt(1)), at: start)
        let actions = machine.handle(.failed(attempt(1), Self.unauthorized), at: start)
        #expect(failures(actions) == [Self.unauthorized])
        #expect(actions.last == .start(attempt(2), candidate: 1, range: whole))
    }

    @Test("Bytes that come in between allow another renewal")
    func bytesInBetweenAllowAnotherRenewal() {
        var machine = machine(.init(maximumRange: 100, renewsCredentials: true))
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.renewed(attempt(0)), at: start)
        for round in 0..<3 {
            let refused = attempt(3 * round)
            #expect(
                machine.handle(.failed(refused, Self.unauthorized), at: start)
                    == [.renew(attempt(3 * round + 1), candidate: 0, beyondLast: true)])
            let id = attempt(3 * round + 1)
            _ = machine.handle(.renewed(id), at: start)
            let first = Int64(round * 200)
            _ = machine.handle(.head(id, ObjectHead(first: first, count: 100, total: 1000, validator: nil)), at: start)
            _ = machine.handle(.bytes(id, dropped: 0, kept: 100), at: start)
            // Two good pieces, the second on credentials that were ready.
            _ = machine.handle(.completed(id), at: start)
            let next = attempt(3 * round + 2)
            _ = machine.handle(.renewed(next), at: start)
            _ = machine.handle(.head(next, ObjectHead(first: first + 100, count: 100, total: 1000, validator: nil)), at: start)
            _ = machine.handle(.bytes(next, dropped: 0, kept: 100), at: start)
            _ = machine.handle(.completed(next), at: start)
            _ = machine.handle(.renewed(attempt(3 * round + 3)), at: start)
        }
    }

    @Test("A renewal that fails is the attempt's failure")
    func aRenewalThatFailsIsTheAttemptsFailure() {
        for beyondLast in [false, true] {
            var machine = machine(.init(renewsCredentials: true), .init())
            _ = machine.handle(.begin, at: start)
            var id = attempt(0)
            if beyondLast {
                _ = machine.handle(.renewed(id), at: start)
                _ = machine.handle(.failed(id, Self.unauthorized), at: start)
                id = attempt(1)
            }
            let refused = AttemptFailure(.denied, .credentials, detail: "the user is not known")
            let actions = machine.handle(.failed(id, refused), at: start)
            #expect(failures(actions) == [refused])
            #expect(actions.last == .start(attempt(id.number + 1), candidate: 1, range: whole))
            #expect(machine.handle(.renewed(id), at: start).isEmpty, "a late answer is ignored")
        }
    }

    @Test("A request that is forbidden does not renew its credentials")
    func aForbiddenRequestDoesNotRenewItsCredentials() {
        var machine = machine(.init(renewsCredentials: true), .init())
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.renewed(attempt(0)), at: start)
        let forbidden = AttemptFailure(.denied, .credentials, detail: "answered with status 403")
        let actions = machine.handle(.failed(attempt(0), forbidden), at: start)
        #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
    }

    @Test("A driver without renewable credentials is not asked again")
    func aDriverWithoutRenewableCredentialsIsNotAskedAgain() {
        var machine = machine(.init(), .init())
        _ = machine.handle(.begin, at: start)
        let actions = machine.handle(.failed(attempt(0), Self.unauthorized), at: start)
        #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
    }

    @Test("A renewal that takes too long is a stall")
    func aRenewalThatTakesTooLongIsAStall() {
        var machine = machine(.init(renewsCredentials: true), .init())
        _ = machine.handle(.begin, at: start)
        let timeout = machine.policy.stallTimeout
        expectMove(after: timeout, because: .stall, &machine)
        #expect(machine.handle(.renewed(attempt(0)), at: start + timeout).isEmpty, "a late answer is ignored")
    }

    @Test("A relay that ends while it waits ends cleanly")
    func aRelayThatEndsWhileItWaitsEndsCleanly() {
        for candidate in [RelayPlan.Candidate(renewsCredentials: true), .init(timeout: .seconds(1))] {
            var machine = machine(candidate)
            _ = machine.handle(.begin, at: start)
            #expect(machine.handle(.clientGone, at: start) == [.cancel(attempt(0)), .abort(.clientGone)])
            #expect(machine.handle(.renewed(attempt(0)), at: start).isEmpty)
            #expect(machine.handle(.entered(attempt(0)), at: start).isEmpty)
        }
    }

    @Test("A location that is withdrawn while it is waited for is left")
    func aLocationWithdrawnWhileItIsWaitedForIsLeft() {
        for candidate in [RelayPlan.Candidate(renewsCredentials: true), .init(timeout: .seconds(1))] {
            var machine = machine(candidate, .init())
            _ = machine.handle(.begin, at: start)
            let actions = machine.handle(.withdrawn(candidate: 0, atOnce: false), at: start)
            #expect(actions.first == .cancel(attempt(0)))
            #expect(actions.last == .start(attempt(1), candidate: 1, range: whole))
        }
    }

    // MARK: Connections

    @Test("An attempt gets its permit first and then its credentials")
    func anAttemptGetsItsPermitBeforeItsCredentials() {
        var machine = machine(.init(timeout: .seconds(1), renewsCredentials: true))
        #expect(machine.handle(.begin, at: start) == [.enter(attempt(0), candidate: 0)])
        #expect(machine.handle(.renewed(attempt(0)), at: start).isEmpty, "credentials before the permit")
        #expect(
            machine.handle(.entered(attempt(0)), at: start) == [.renew(attempt(0), candidate: 0, beyondLast: false)])
        #expect(machine.handle(.renewed(attempt(0)), at: start) == [.start(attempt(0), candidate: 0, range: whole)])
    }

    @Test("An attempt that waits too long for a permit moves to the next location")
    func aLongWaitForAPermitMovesToTheNextLocation() {
        var machine = machine(.init(timeout: .seconds(1)), .init())
        _ = machine.handle(.begin, at: start)
        expectMove(after: .seconds(1), because: .busy, &machine)
    }

    @Test("At the last location the wait for a permit lasts until the relay gives up")
    func atTheLastLocationTheWaitLastsUntilTheEnd() {
        var machine = machine(.init(timeout: .seconds(1)), .init(timeout: .seconds(1)))
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.tick, at: start + .seconds(1))
        let end = start + machine.policy.giveUpAfter
        #expect(machine.handle(.tick, at: end - .milliseconds(1)).isEmpty, "the attempt left the queue")
        let actions = machine.handle(.tick, at: end)
        #expect(failures(actions).map(\.reason) == [.busy])
        #expect(actions.suffix(2) == [.cancel(attempt(1)), .refuse])
        #expect(machine.failures.map(\.failure.reason) == [.busy, .busy])
    }

    @Test("A wait for a permit is no stall")
    func aWaitForAPermitIsNoStall() {
        var machine = machine(.init(timeout: .seconds(1)))
        _ = machine.handle(.begin, at: start)
        let late = start + machine.policy.stallTimeout + .seconds(1)
        #expect(machine.handle(.tick, at: late).isEmpty)
        #expect(machine.handle(.entered(attempt(0)), at: late) == [.start(attempt(0), candidate: 0, range: whole)])
        _ = machine.handle(.began(attempt(0)), at: late)
        #expect(machine.handle(.tick, at: late + .seconds(1)).isEmpty, "the time of the wait was counted on")
    }

    // MARK: Workers

    @Test("An attempt that no worker starts moves to the next location")
    func anAttemptThatNoWorkerStartsMoves() {
        var machine = machine(.init(maximumRange: 100), .init())
        let first = ByteRange(first: 0, last: 99)
        #expect(machine.handle(.begin, at: start) == [.start(attempt(0), candidate: 0, range: first)])
        expectMove(after: machine.policy.stallTimeout, because: .busy, &machine)
    }

    @Test("At the last location the wait for a worker lasts until the relay gives up")
    func atTheLastLocationAWorkerIsAwaitedUntilTheEnd() {
        var machine = machine(.init(maximumRange: 100))
        _ = machine.handle(.begin, at: start)
        let end = start + machine.policy.giveUpAfter
        #expect(machine.handle(.tick, at: end - .milliseconds(1)).isEmpty, "the attempt left the queue")
        let actions = machine.handle(.tick, at: end)
        #expect(failures(actions).map(\.reason) == [.busy])
        #expect(actions.suffix(2) == [.cancel(attempt(0)), .refuse])
    }
}
