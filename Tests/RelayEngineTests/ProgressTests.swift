import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// Locations whose answers break after some bytes: the relay continues at once as long as it makes progress.
@Suite struct ProgressTests {
    private static let reset = AttemptFailure(.reset, .backend, detail: "played")
    private static let stall = AttemptFailure(.stall, .backend, detail: "played")
    static let steps: [Int64] = [1, 17, 4 << 10, 256 << 10, 512 << 10]
    private let start = ContinuousClock.now

    /// A relay whose attempts each deliver some bytes and then fail.
    private struct Trying {
        var machine: RelayStateMachine
        var now: ContinuousClock.Instant
        /// The total time that it waited before revisits.
        var waited: Duration = .zero
        var longestWait: Duration = .zero
        var reports: [RelayReport] = []
        /// Whether whole chunks are verified as soon as they are there.
        var verifies = true

        init(
            size: Int64, verification: RelayPlan.Verification = .digest, locations: Int = 1, _ policy: RelayPolicy,
            at start: ContinuousClock.Instant
        ) {
            let candidates = (0..<locations).map { _ in RelayPlan.Candidate() }
            machine = RelayStateMachine(
                plan: RelayPlan(whole: size, verification: verification, candidates: candidates), policy: policy, seed: 1,
                at: start)
            now = start
            note(machine.handle(.begin, at: now))
        }

        var candidate: Int? { machine.attempt?.candidate }

        /// The running attempt gets a good head, delivers bytes that the client takes at once, and fails.
        mutating func bring(_ count: Int64, then failure: AttemptFailure = ProgressTests.reset) {
            guard let id = machine.attempt?.id else { return }
            let first = machine.accepted
            note(machine.handle(.began(id), at: now))
            if count > 0 {
                let size = machine.plan.size
                note(
                    machine.handle(
                        .head(id, ObjectHead(first: first, count: size - first, total: size, validator: nil)), at: now))
                note(machine.handle(.bytes(id, dropped: 0, kept: min(count, size - first)), at: now))
                if verifies, case .chunks(let layout) = machine.plan.verification {
                    note(machine.handle(.chunksVerified(upTo: machine.accepted / layout.chunkSize * layout.chunkSize), at: now))
                }
                note(machine.handle(.consumed(machine.released), at: now))
            }
            note(machine.handle(.failed(id, failure), at: now))
            comeBack()
        }

        mutating func comeBack() {
            let since = now
            while case .waiting(_, let until) = machine.phase {
                now = max(until, now)
                note(machine.handle(.tick, at: now))
            }
            waited += now - since
            longestWait = max(longestWait, now - since)
        }

        mutating func note(_ actions: [RelayAction]) {
            for case .report(let report) in actions { reports.append(report) }
        }

        var failures: Int { reports.count { if case .failed = $0 { true } else { false } } }
        var interruptions: Int { reports.count { if case .interrupted = $0 { true } else { false } } }
    }

    private static var policy: RelayPolicy {
        var policy = RelayPolicy()
        policy.revisits = 0
        policy.tail = 1
        return policy
    }

    @Test("Attempts that deliver any number of bytes follow each other without a wait or a revisit", arguments: steps)
    func everyStep(step: Int64) {
        let size = step * 300 + 1
        for verification in [
            RelayPlan.Verification.digest, ChunkLayout(size: size, chunkSize: step * 7 + 3).map { .chunks($0) } ?? .none,
        ] {
            var trying = Trying(size: size, verification: verification, Self.policy, at: start)
            for _ in 0..<300 { trying.bring(step) }
            #expect(trying.machine.accepted == size - 1 && trying.machine.attempt != nil, "\(verification)")
            #expect(trying.waited == .zero)
            #expect(trying.failures == 1, "the failure is reported once, however often it happens")
            #expect(trying.interruptions == 299)
            #expect(trying.machine.segments == [Segment(candidate: 0, first: 0, end: size - 1)])
        }
    }

    @Test("Attempts that deliver nothing do not lengthen the wait if others in between deliver bytes", arguments: steps)
    func barrenBetween(step: Int64) {
        var policy = Self.policy
        policy.revisits = 3
        policy.backoff = .milliseconds(100)
        var trying = Trying(size: step * 200 + 1, policy, at: start)
        for _ in 0..<200 {
            trying.bring(step)
            trying.bring(0)
            trying.bring(0)
        }
        #expect(trying.machine.accepted == step * 200 && trying.machine.attempt != nil)
        #expect(trying.longestWait < .milliseconds(200), "the second wait in a row, and no longer one")
    }

    @Test("Progress is counted over all attempts since the last refund")
    func countedAcrossAttempts() {
        var policy = Self.policy
        policy.revisits = 3
        policy.refundAfter = 1000
        var trying = Trying(size: 1 << 20, policy, at: start)
        for _ in 0..<30 {
            for _ in 0..<5 { trying.bring(100) }
            trying.bring(0)
            for _ in 0..<5 { trying.bring(100) }
            trying.bring(0)
        }
        #expect(trying.machine.attempt != nil && trying.machine.accepted == 30_000)
    }

    @Test("Attempts that deliver nothing are still limited by the revisits")
    func nothingIsBounded() {
        var policy = Self.policy
        policy.revisits = 3
        policy.giveUpAfter = .seconds(3600)
        var trying = Trying(size: 1 << 20, policy, at: start)
        trying.bring(100)
        var attempts = 0
        while trying.machine.attempt != nil, attempts < 100 {
            trying.bring(0)
            attempts += 1
        }
        #expect(trying.machine.phase == .ended(.exhausted) || trying.machine.phase == .ended(.refused))
        #expect(attempts == 4, "the one that the bytes refunded, and three revisits")
    }

    @Test("A location that stalls after some bytes is asked again at once, and its timeout does not grow")
    func stallAfterBytes() {
        var trying = Trying(size: 1 << 20, Self.policy, at: start)
        for _ in 0..<20 {
            trying.bring(1000, then: Self.stall)
            #expect(trying.machine.stallTimeout(of: 0) <= trying.machine.policy.stallTimeout * 2)
        }
        #expect(trying.waited == .zero && trying.machine.accepted == 20_000)
    }

    @Test("A relay tries an untried location first, and then stays where an attempt delivers most")
    func whereToGoOn() {
        var trying = Trying(size: 1 << 20, locations: 2, Self.policy, at: start)
        trying.bring(1000)
        #expect(trying.candidate == 1)
        trying.bring(10)
        #expect(trying.candidate == 0, "it brought more before it broke")
        for _ in 0..<20 { trying.bring(600) }
        #expect(trying.candidate == 0 && trying.machine.segments.count == 3, "it stays")
        trying.bring(4)
        #expect(trying.candidate == 1)
        #expect(trying.waited == .zero)
    }

    @Test("A location that delivers bytes is preferred to one that delivered none")
    func failedOnesWait() {
        var trying = Trying(size: 1 << 20, locations: 2, Self.policy, at: start)
        trying.bring(0)
        for _ in 0..<50 {
            #expect(trying.candidate == 1)
            trying.bring(3)
        }
        #expect(trying.waited == .zero)
    }

    @Test("A wrong chunk is fetched again in steps of any size", arguments: [1, 17, 500] as [Int64])
    func wrongChunkInSteps(step: Int64) throws {
        let layout = try #require(ChunkLayout(size: 3000, chunkSize: 1000))
        var policy = Self.policy
        policy.revisits = 1
        var trying = Trying(size: 3000, verification: .chunks(layout), policy, at: start)
        trying.verifies = false
        for _ in 0..<(1000 / step) { trying.bring(step) }
        if 1000 % step > 0 { trying.bring(1000 % step) }
        #expect(trying.machine.accepted == 1000)
        trying.note(trying.machine.handle(.chunkRejected(start: 0, digest: [1]), at: trying.now))
        #expect(trying.machine.accepted == 0)
        for _ in 0..<(1000 / step) { trying.bring(step) }
        #expect(trying.machine.accepted == 1000 / step * step)
        #expect(trying.machine.attempt != nil && trying.waited == .zero)
    }

    @Test("A chunk that two locations together deliver wrongly again and again ends the relay")
    func wrongChunkForEver() throws {
        let layout = try #require(ChunkLayout(size: 3000, chunkSize: 1000))
        var policy = Self.policy
        policy.revisits = 5
        policy.giveUpAfter = .seconds(3600)
        var trying = Trying(size: 3000, verification: .chunks(layout), locations: 2, policy, at: start)
        trying.verifies = false
        var rounds = 0
        while trying.machine.attempt != nil, rounds < 10_000 {
            rounds += 1
            // Each brings half of the chunk, and it is wrong.
            trying.bring(500)
            if trying.machine.accepted >= 1000 {
                trying.note(trying.machine.handle(.chunkRejected(start: 0, digest: [UInt8(rounds % 250)]), at: trying.now))
                trying.comeBack()
            }
        }
        #expect(rounds < 100)
        if case .ended = trying.machine.phase {} else { #expect(Bool(false), "\(trying.machine.phase)") }
    }
}
