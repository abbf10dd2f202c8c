import BackendKit
import ImageModel
import LocationSelection
import OriginRead
import Testing

@testable import RelayEngine

/// How a relay handles a slow location.
@Suite struct SlowTests {
    private static let boundary: Int64 = 1 << 20
    private static let size: Int64 = 100 << 20
    private let start = ContinuousClock.now

    /// A relay that reads its first attempt's first bytes; `read` goes on from there.
    private struct Reading {
        var machine: RelayStateMachine
        var now: ContinuousClock.Instant
        var attempt = 0
        var estimates: [ThroughputEstimate]

        init(
            _ estimates: [ThroughputEstimate], _ candidates: [RelayPlan.Candidate]? = nil,
            verification: RelayPlan.Verification = .digest,
            answersRanges: Bool = true, discardLimit: Int64 = 0, at start: ContinuousClock.Instant
        ) {
            var policy = RelayPolicy()
            policy.slowBoundary = SlowTests.boundary
            policy.discardLimit = discardLimit
            let candidates = candidates ?? estimates.map { _ in RelayPlan.Candidate() }
            machine = RelayStateMachine(
                plan: RelayPlan(whole: SlowTests.size, verification: verification, candidates: candidates), policy: policy,
                seed: 1, at: start
            )
            self.estimates = estimates
            now = start
            _ = machine.handle(.begin, at: now)
            answer(answersRanges: answersRanges)
        }

        var id: AttemptID { AttemptID(number: attempt) }

        /// The running attempt gets a good head.
        mutating func answer(answersRanges: Bool = true) {
            let first = machine.accepted
            let end = machine.attempt?.end ?? 0
            _ = machine.handle(.began(id), at: now)
            _ = machine.handle(
                .head(
                    id,
                    ObjectHead(
                        first: first, count: end - first, total: SlowTests.size, validator: nil, answersRanges: answersRanges)),
                at: now)
        }

        /// Bytes come after a while, and the client takes them; a request for estimates is answered.
        mutating func read(_ count: Int64, after time: Duration) -> [RelayAction] {
            now += time
            let kept = min(count, machine.bodyWindow(of: id)?.take ?? 0)
            var actions = machine.handle(.bytes(id, dropped: count - kept, kept: kept), at: now)
            actions += machine.handle(.consumed(machine.released), at: now)
            if actions.contains(.estimate(id)) { actions += machine.handle(.estimated(id, estimates), at: now) }
            return actions
        }

        /// Reads `rate` bytes per second, in ten parts per second.
        mutating func read(_ rate: Int64, for time: Duration) -> [RelayAction] {
            var actions: [RelayAction] = []
            for _ in 0..<Int(time / .milliseconds(100)) where actions.cancels.isEmpty {
                actions += read(rate / 10, after: .milliseconds(100))
            }
            return actions
        }
    }

    /// Reads at 1 MB/s until the relay has moved to another location, and that one has answered.
    private func moved(_ estimates: ThroughputEstimate...) -> (Reading, [RelayAction]) {
        var reading = Reading(estimates, at: start)
        let actions = reading.read(1_000_000, for: .seconds(5))
        reading.attempt += 1
        reading.answer()
        return (reading, actions)
    }

    @Test("A slow location is left exactly at a boundary for a clearly faster one")
    func aSlowLocationIsLeftAtABoundaryForAFasterOne() throws {
        let (reading, actions) = moved(.unknown, .rate(50e6))
        let offset = reading.machine.accepted
        #expect(offset == 3 * Self.boundary, "the first boundary after two seconds of a megabyte each and the first bytes")
        #expect(actions.contains(.limit(AttemptID(number: 0))))
        #expect(actions.cancels == [AttemptID(number: 0)])
        #expect(
            actions.last
                == .start(AttemptID(number: 1), candidate: 1, range: ByteRange(first: offset, last: Self.size - 1)))
        #expect(actions.failures.isEmpty, "to be slow is no failure")
        #expect(reading.machine.failures.isEmpty)
        #expect(reading.machine.budget.left == reading.machine.policy.revisits)
    }

    @Test("With a manifest, a slow location is left at a chunk boundary")
    func withAManifestASlowLocationIsLeftAtAChunkEdge() throws {
        let chunk: Int64 = 650_000
        let layout = try #require(ChunkLayout(size: Self.size, chunkSize: chunk))
        var reading = Reading([.unknown, .rate(50e6)], verification: .chunks(layout), at: start)
        for _ in 0..<40 where reading.machine.attempt?.candidate == 0 {
            _ = reading.read(100_000, after: .milliseconds(100))
            let whole = reading.machine.accepted / chunk * chunk
            _ = reading.machine.handle(.chunksVerified(upTo: whole), at: reading.now)
        }
        #expect(reading.machine.attempt?.candidate == 1)
        #expect(reading.machine.accepted == 4 * chunk)
    }

    @Test("The failover is reported with its cause")
    func theFailoverIsReportedWithItsCause() throws {
        var (reading, _) = moved(.unknown, .rate(50e6))
        let offset = reading.machine.accepted
        let actions = reading.read(1000, after: .milliseconds(5))
        let failover = try #require(actions.failovers.first)
        #expect((failover.from, failover.to, failover.offset) == (0, 1, offset))
        #expect(failover.cause.reason == .slow && failover.gap == .milliseconds(5))
    }

    @Test("A relay stays at a slow location if no other one is clearly faster")
    func aRelayStaysIfNoOtherLocationIsClearlyFaster() {
        for estimates in [[ThroughputEstimate.unknown, .unknown], [.unknown, .rate(2e6)], [.unknown, .avoided], [.unknown]] {
            var reading = Reading(estimates, at: start)
            let actions = reading.read(1_000_000, for: .seconds(60))
            #expect(actions.cancels.isEmpty && reading.machine.attempt != nil, "\(estimates)")
        }
    }

    @Test("No second move follows within the dwell time")
    func noSecondMoveFollowsWithinTheDwellTime() {
        var (reading, _) = moved(.unknown, .rate(50e6), .rate(60e6))
        #expect(reading.machine.attempt?.candidate == 2)
        let movedAt = reading.now
        reading.estimates[1] = .rate(50e6)
        let actions = reading.read(1_000_000, for: .seconds(30))
        #expect(actions.cancels == [AttemptID(number: 1)])
        let dwelt = reading.now - movedAt
        #expect(dwelt >= .seconds(10) && dwelt < .seconds(14))
    }

    @Test("A relay does not return to a location that it measured as equally slow")
    func aRelayDoesNotReturnToAnEquallySlowLocation() {
        var (reading, _) = moved(.rate(50e6), .rate(50e6))
        #expect(reading.read(1_000_000, for: .seconds(60)).cancels.isEmpty)
    }

    @Test("A relay returns to a location that was clearly faster")
    func aRelayReturnsToALocationThatWasClearlyFaster() {
        var (reading, _) = moved(.unknown, .rate(50e6))
        let actions = reading.read(200_000, for: .seconds(30))
        #expect(actions.last.map { if case .start(_, 0, _) = $0 { true } else { false } } == true)
        #expect(reading.machine.accepted % Self.boundary == 0)
    }

    @Test("A slow location that was left continues at once when the next one fails")
    func aSlowLocationContinuesWhenTheNextOneFails() {
        var (reading, _) = moved(.unknown, .rate(50e6), .unknown)
        let left = reading.machine.budget.left
        let offset = reading.machine.accepted
        let missing = AttemptFailure(.missing, .location, detail: "played")
        let back = reading.machine.handle(.failed(reading.id, missing), at: reading.now)
        #expect(
            back.last == .start(AttemptID(number: 2), candidate: 0, range: ByteRange(first: offset, last: Self.size - 1)),
            "it delivered nothing, so the relay returns to the sound location")
        reading.attempt = 2
        reading.answer()
        #expect(reading.read(1000, after: .milliseconds(5)).failovers.isEmpty, "no failover is reported")
        #expect(reading.machine.budget.left == left)
    }

    @Test("A slow location that was left is asked before one that failed")
    func aSlowLocationIsAskedBeforeOneThatFailed() {
        var (reading, _) = moved(.unknown, .rate(50e6))
        _ = reading.read(1000, after: .milliseconds(5))
        let reset = AttemptFailure(.reset, .backend, detail: "played")
        let left = reading.machine.budget.left
        let actions = reading.machine.handle(.failed(reading.id, reset), at: reading.now)
        #expect(actions.last.map { if case .start(_, 0, _) = $0 { true } else { false } } == true)
        #expect(reading.machine.budget.left == left, "a location that was left as slow costs no revisit")
    }

    @Test("A location that failed in this relay is not clearly faster")
    func aLocationThatFailedIsNotClearlyFaster() {
        var reading = Reading([.rate(50e6), .unknown], at: start)
        _ = reading.machine.handle(
            .failed(reading.id, AttemptFailure(.reset, .backend, detail: "played")), at: reading.now)
        reading.attempt = 1
        reading.answer()
        #expect(reading.read(1_000_000, for: .seconds(30)).cancels.isEmpty)
    }

    @Test("A suspect is not clearly faster")
    func aSuspectIsNotClearlyFaster() {
        var reading = Reading([.unknown, .rate(50e6)], [.init(), .init(isSuspect: true)], at: start)
        #expect(reading.read(1_000_000, for: .seconds(30)).cancels.isEmpty)
    }

    @Test("A client that does not read makes no location slow")
    func aClientThatDoesNotReadMakesNoLocationSlow() {
        var reading = Reading([.unknown, .rate(1e12)], at: start)
        for _ in 0..<100 {
            reading.now += .milliseconds(1)
            let count = Int64(5 << 20)
            guard reading.machine.accepted + count < Self.size - count else { break }
            let actions = reading.machine.handle(.bytes(reading.id, dropped: 0, kept: count), at: reading.now)
            #expect(!actions.contains(.estimate(reading.id)))
            // The client takes a minute to read.
            reading.now += .seconds(60)
            _ = reading.machine.handle(.consumed(reading.machine.released), at: reading.now)
        }
    }

    @Test("A location below the minimum rate is left at the next byte for an unmeasured one")
    func aVerySlowLocationIsLeftAtTheNextByte() {
        var reading = Reading([.unknown, .unknown], at: start)
        let actions = reading.read(10_000, for: .seconds(5))
        let offset = reading.machine.accepted
        #expect(offset > 0 && offset < 100_000)
        #expect(
            actions.last
                == .start(AttemptID(number: 1), candidate: 1, range: ByteRange(first: offset, last: Self.size - 1)))
    }

    @Test("A relay stays where it is once it has found every location very slow")
    func aRelayStaysOnceEveryLocationIsVerySlow() {
        var reading = Reading([.unknown, .unknown, .unknown], at: start)
        var cancels = 0
        for _ in 0..<12 {
            let actions = reading.read(10_000, for: .seconds(20))
            guard !actions.cancels.isEmpty else { continue }
            cancels += 1
            reading.attempt += 1
            reading.answer()
        }
        #expect(cancels == 2)
    }

    @Test("A silent location has stalled and is not merely slow")
    func silenceIsAStallAndNotSlowness() {
        var reading = Reading([.unknown, .unknown], at: start)
        _ = reading.read(1000, after: .milliseconds(100))
        reading.now += .seconds(4)
        #expect(reading.machine.handle(.tick, at: reading.now).cancels.isEmpty)
        let actions = reading.machine.handle(
            .failed(reading.id, .stall("no byte", for: .seconds(4))), at: reading.now)
        #expect(actions.failures.map(\.reason) == [.stall])
    }

    @Test("A planned move is cancelled when the location recovers")
    func aPlannedMoveIsCancelledWhenTheLocationRecovers() {
        var reading = Reading([.unknown, .rate(10e6)], at: start)
        reading.machine = machine(boundary: 64 << 20, reading)
        #expect(reading.read(1_000_000, for: .seconds(3)).contains(.limit(reading.id)))
        #expect(reading.machine.attempt?.end == 64 << 20)
        let actions = reading.read(9_000_000, for: .seconds(4))
        #expect(actions.contains(.limit(reading.id)) && actions.cancels.isEmpty)
        #expect(reading.machine.attempt?.end == Self.size)
        #expect(reading.machine.bodyWindow(of: reading.id)?.take == Self.size - reading.machine.accepted)
    }

    /// The same relay with boundaries that far apart, from its start.
    private func machine(boundary: Int64, _ reading: Reading) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.slowBoundary = boundary
        var machine = RelayStateMachine(plan: reading.machine.plan, policy: policy, seed: 1, at: start)
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(
            .head(reading.id, ObjectHead(first: 0, count: Self.size, total: Self.size, validator: nil)), at: start)
        return machine
    }

    @Test("A location that is withdrawn before the boundary is not asked there")
    func aLocationWithdrawnBeforeTheEdgeIsNotAsked() {
        var reading = Reading([.unknown, .rate(50e6)], at: start)
        _ = reading.read(1_000_000, for: .seconds(2.1))
        #expect(reading.machine.attempt?.plannedFailover?.candidate == 1)
        _ = reading.machine.handle(.withdrawn(candidate: 1, atOnce: true), at: reading.now)
        let actions = reading.read(1_000_000, for: .seconds(2))
        #expect(actions.last.map { if case .start(_, 0, _) = $0 { true } else { false } } == true, "goes on where it was")
    }

    @Test("The end of a bounded read is a boundary")
    func theEndOfABoundedReadIsAnEdge() {
        var reading = Reading([.unknown, .rate(50e6)], [.init(maximumRange: 300_000), .init()], at: start)
        var moved: [RelayAction] = []
        for _ in 0..<20 where moved.isEmpty {
            let actions = reading.read(300_000, after: .milliseconds(300))
            #expect(actions.cancels.isEmpty, "a bounded read is not broken off")
            let next = reading.machine.handle(.completed(reading.id), at: reading.now)
            reading.attempt += 1
            reading.answer()
            if reading.machine.attempt?.candidate == 1 { moved = next }
        }
        #expect(reading.machine.accepted % 300_000 == 0 && reading.machine.accepted <= 2_700_000)
        #expect(moved.last.map { if case .start(_, 1, _) = $0 { true } else { false } } == true)
    }

    @Test("A location that could not be resumed is left as slow only when it almost stands still")
    func aLocationThatCannotBeResumedIsRarelyLeftAsSlow() {
        var stays = Reading([.unknown, .rate(50e6)], answersRanges: false, discardLimit: Self.size - 1, at: start)
        #expect(stays.read(1_000_000, for: .seconds(30)).cancels.isEmpty)
        #expect(stays.machine.attempt?.end == Self.size)
        var moves = Reading([.unknown, .rate(50e6)], answersRanges: false, discardLimit: Self.size, at: start)
        #expect(moves.read(1_000_000, for: .seconds(30)).cancels == [moves.id], "all of it may be read again")
        var crawls = Reading([.unknown, .rate(50e6)], answersRanges: false, at: start)
        #expect(
            crawls.read(10_000, for: .seconds(30)).cancels == [crawls.id],
            "a location that almost stands still counts as failed")
    }

    @Test("A relay does not move when no boundary is left before the end")
    func aRelayDoesNotMoveWhenNoEdgeIsLeft() {
        let (reading, _) = moved(.unknown, .rate(50e6))
        var machine = reading.machine
        let id = reading.id
        let almost = Self.size - Self.boundary / 2
        _ = machine.handle(.bytes(id, dropped: 0, kept: almost - machine.accepted), at: reading.now + .seconds(20))
        let actions = machine.handle(.estimated(id, [.rate(1e12), .unknown]), at: reading.now + .seconds(20))
        #expect(actions.isEmpty)
    }
}

extension [RelayAction] {
    fileprivate var cancels: [AttemptID] { compactMap { if case .cancel(let id) = $0 { id } else { nil } } }
    fileprivate var failures: [AttemptFailure] {
        compactMap { if case .report(.failed(_, let failure)) = $0 { failure } else { nil } }
    }
    fileprivate var failovers: [RelayReport.Failover] {
        compactMap { if case .report(.failover(let failover)) = $0 { failover } else { nil } }
    }
}
