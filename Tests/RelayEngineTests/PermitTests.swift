import BackendKit
import ImageModel
import LocationSelection
import OriginRead
import Testing

@testable import RelayEngine

/// How a download gives its permit to another one that waits, and continues later.
@Suite struct PermitTests {
    private let start = ContinuousClock.now
    private let size: Int64 = 100_000
    private let first = AttemptID(number: 0)
    private let second = AttemptID(number: 1)

    private func machine(
        _ candidates: [RelayPlan.Candidate] = [.init(timeout: .seconds(1))], chunk: Int64? = nil, discardLimit: Int64 = 0
    ) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.tail = 10
        policy.window = 10_000
        policy.stallTimeout = .seconds(3600)
        policy.discardLimit = discardLimit
        policy.slow.window = .seconds(86_400)
        let verification: RelayPlan.Verification =
            chunk.flatMap { ChunkLayout(size: size, chunkSize: $0) }.map { .chunks($0) } ?? .digest
        return RelayStateMachine(
            plan: RelayPlan(whole: size, verification: verification, candidates: candidates), policy: policy, seed: 1, at: start
        )
    }

    /// Admits the first attempt and takes `count` bytes of it.
    private func read(_ count: Int64, answersRanges: Bool = true, _ machine: inout RelayStateMachine) {
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.permitted(first), at: start)
        _ = machine.handle(.began(first), at: start)
        let head = ObjectHead(first: 0, count: size, total: size, validator: nil, answersRanges: answersRanges)
        _ = machine.handle(.head(first, head), at: start)
        _ = machine.handle(.bytes(first, dropped: 0, kept: count), at: start)
    }

    /// The second attempt, at the first location again.
    private func restart(at offset: Int64) -> RelayAction {
        .start(second, candidate: 0, range: ByteRange(first: offset, last: size - 1))
    }

    private func isFailure(_ action: RelayAction) -> Bool {
        if case .report(.failed) = action { true } else { false }
    }

    @Test("A permit is offered as idle once the client has taken nothing for the timeout, and not before")
    func idlePermitIsOffered() {
        var machine = machine()
        read(10_000, &machine)
        let due = start + machine.policy.permitTimeout
        #expect(machine.handle(.tick, at: due - .milliseconds(1)).isEmpty)
        #expect(machine.handle(.tick, at: due) == [.offerPermit(first, .idle)])
        #expect(machine.handle(.tick, at: due + .seconds(1)).isEmpty, "it was offered twice")
        // The client reads again: from now on the permit is one that has been held for a while.
        _ = machine.handle(.consumed(1000), at: due + .seconds(2))
        #expect(machine.handle(.tick, at: due + .seconds(3)) == [.offerPermit(first, .turn)])
    }

    @Test("A download that waits for its own bytes is not idle")
    func hungryClientIsNotIdle() {
        var machine = machine()
        read(10_000, &machine)
        _ = machine.handle(.consumed(10_000), at: start)
        #expect(machine.handle(.tick, at: start + machine.policy.permitTimeout) == [.offerPermit(first, .turn)])
    }

    @Test("Without a manifest, the permit is given back at once, and the read resumes later at the same byte")
    func permitIsGivenBackAtAnyByte() {
        var machine = machine([.init(timeout: .seconds(1)), .init()])
        read(10_001, &machine)
        let budget = machine.budget.left
        let asleep = start + .seconds(40)
        let actions = machine.handle(.permitWanted(first), at: asleep)
        #expect(actions == [.cancel(first)])
        #expect(machine.handle(.tick, at: asleep + .seconds(200)).isEmpty, "a client that does not read is waited for")
        let awake = asleep + .seconds(201)
        #expect(
            machine.handle(.consumed(10_000), at: awake)
                == [.start(second, candidate: 0, range: ByteRange(first: 10_001, last: size - 1))])
        #expect(machine.budget.left == budget && machine.failures.isEmpty, "giving the permit back counted as a failure")
    }

    @Test("With a manifest, the permit is given back at a chunk boundary, even if the client has stopped reading")
    func permitIsGivenBackAtAChunksBoundary() {
        var machine = machine(chunk: 4096)
        read(13_000, &machine)
        _ = machine.handle(.chunksVerified(upTo: 12_288), at: start)
        #expect(machine.attempt?.isPaused == true)
        let asleep = start + .seconds(59)
        #expect(machine.handle(.permitWanted(first), at: asleep) == [.limit(first), .resume(first)])
        #expect(machine.bodyWindow(of: first) == BodyWindow(skip: 0, take: 16_384 - 13_000))
        #expect(machine.handle(.tick, at: asleep + .seconds(30)).isEmpty, "the time of the sleep was counted")
        let actions = machine.handle(.bytes(first, dropped: 0, kept: 16_384 - 13_000), at: asleep)
        #expect(actions == [.cancel(first)])
        #expect(machine.phase == .awaitingRoom(candidate: 0))
    }

    @Test("An active download gives its permit back and queues again at once")
    func activeDownloadQueuesAgain() {
        var machine = machine()
        read(5000, &machine)
        _ = machine.handle(.consumed(5000), at: start)
        #expect(machine.handle(.permitWanted(first), at: start) == [.cancel(first), restart(at: 5000)])
        #expect(machine.isCommitted, "the queue must know that its client waits in the middle of the image")
        let late = start + machine.policy.giveUpAfter + .seconds(1)
        #expect(machine.handle(.tick, at: late).isEmpty, "what was given up for others ended the download")
        #expect(machine.handle(.permitted(second), at: late).isEmpty)
        #expect(machine.handle(.tick, at: late + .seconds(1)).isEmpty, "the time of the wait was counted")
        let end = start + machine.policy.clientStallTimeout
        var waiting = self.machine()
        read(5000, &waiting)
        _ = waiting.handle(.consumed(5000), at: start)
        _ = waiting.handle(.permitWanted(first), at: start)
        #expect(waiting.handle(.tick, at: end).last == .abort(.exhausted), "the wait has no end")
    }

    @Test("A request without an answer gives its permit back at once")
    func unansweredRequestIsLeft() {
        var machine = machine()
        _ = machine.handle(.begin, at: start)
        _ = machine.handle(.permitted(first), at: start)
        #expect(machine.handle(.permitWanted(first), at: start) == [.cancel(first), restart(at: 0)])
    }

    @Test("A download that could not resume where it stopped keeps its permit")
    func downloadWithoutRangesInsists() {
        var machine = machine(discardLimit: 9999)
        read(10_000, answersRanges: false, &machine)
        #expect(machine.handle(.permitWanted(first), at: start) == [.insistOnPermit(first)])
    }

    @Test("A location without ranges is read again from its start if little was read, and that is not a failure")
    func downloadWithoutRangesReadsAgain() {
        var machine = machine(discardLimit: 10_000)
        read(10_000, answersRanges: false, &machine)
        #expect(machine.handle(.permitWanted(first), at: start) == [.cancel(first)])
        #expect(machine.handle(.consumed(10_000), at: start) == [restart(at: 10_000)])
        _ = machine.handle(.permitted(second), at: start)
        let head = ObjectHead(first: 0, count: size, total: size, validator: nil, answersRanges: false)
        let actions = machine.handle(.head(second, head), at: start)
        #expect(!actions.contains(where: isFailure))
        #expect(machine.bodyWindow(of: second) == BodyWindow(skip: 10_000, take: size - 10_000))
    }

    @Test("An attempt without a permit is not asked for one")
    func othersAreNotAsked() {
        var unlimited = machine([.init()])
        _ = unlimited.handle(.begin, at: start)
        #expect(unlimited.handle(.permitWanted(first), at: start).isEmpty)
        #expect(unlimited.handle(.tick, at: start + .seconds(10)).isEmpty)
        var waiting = machine()
        _ = waiting.handle(.begin, at: start)
        #expect(waiting.handle(.permitWanted(first), at: start).isEmpty)
        var late = machine()
        read(5000, &late)
        #expect(late.handle(.permitWanted(second), at: start).isEmpty, "another attempt's permit")
    }
}
