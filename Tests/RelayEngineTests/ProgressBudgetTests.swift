import BackendKit
import ImageModel
import LocationSelection
import OriginRead
import Testing

@testable import RelayEngine

/// How long, and how often, a relay revisits locations that fail.
@Suite struct ProgressBudgetTests {
    private static let size: Int64 = 100 << 20
    private static let reset = AttemptFailure(.reset, .backend, detail: "played")
    private let start = ContinuousClock.now

    /// A relay with one attempt after the other, each of which gets a good head and some bytes.
    private struct Trying {
        var machine: RelayStateMachine
        var now: ContinuousClock.Instant
        var attempts = 0

        init(locations: Int, _ policy: RelayPolicy = RelayPolicy(), at start: ContinuousClock.Instant) {
            machine = RelayStateMachine(
                plan: RelayPlan(whole: ProgressBudgetTests.size, candidates: (0..<locations).map { _ in .init() }),
                policy: policy,
                seed: 1, at: start)
            now = start
            _ = machine.handle(.begin, at: now)
        }

        var id: AttemptID { AttemptID(number: attempts) }

        mutating func receive(_ count: Int64) {
            let first = machine.accepted
            _ = machine.handle(.began(id), at: now)
            let size = ProgressBudgetTests.size
            _ = machine.handle(.head(id, ObjectHead(first: first, count: size - first, total: size, validator: nil)), at: now)
            if count > 0 { _ = machine.handle(.bytes(id, dropped: 0, kept: count), at: now) }
        }

        mutating func fail(_ failure: AttemptFailure = ProgressBudgetTests.reset) -> [RelayAction] {
            let actions = machine.handle(.failed(id, failure), at: now)
            attempts += 1
            return actions
        }

        /// Waits until the next attempt begins.
        mutating func comeBack() -> Duration? {
            let since = now
            while case .waiting(_, let until) = machine.phase {
                now = until
                _ = machine.handle(.tick, at: now)
            }
            return machine.attempt != nil ? now - since : nil
        }
    }

    @Test("Revisits without progress end the relay")
    func revisitsWithoutProgressEndTheRelay() {
        var policy = RelayPolicy()
        policy.revisits = 3
        policy.giveUpAfter = .seconds(3600)
        var trying = Trying(locations: 2, policy, at: start)
        trying.receive(2 << 20)
        var actions = trying.fail()
        while trying.comeBack() != nil { actions = trying.fail() }
        #expect(trying.attempts == 6, "one at each location, one more after the bytes, and three revisits")
        #expect(actions.last == .abort(.exhausted))
    }

    @Test("Progress refunds revisits")
    func progressRefundsRevisits() {
        var policy = RelayPolicy()
        policy.revisits = 3
        var trying = Trying(locations: 1, policy, at: start)
        for _ in 0..<20 {
            trying.receive(policy.refundAfter)
            _ = trying.machine.handle(.consumed(trying.machine.released), at: trying.now)
            _ = trying.fail()
            let waited = trying.comeBack()
            #expect(waited != nil)
        }
    }

    @Test("A server with a Retry-After of zero does not use up all revisits at once")
    func aZeroRetryAfterDoesNotUseUpAllRevisits() {
        var trying = Trying(locations: 1, at: start)
        let throttled = AttemptFailure(.throttled, .throttled, retryAfter: .zero, detail: "played")
        for _ in 0..<trying.machine.policy.revisits {
            _ = trying.fail(throttled)
            _ = trying.comeBack()
        }
        #expect(trying.now - start > .seconds(20))
    }

    @Test("A server is left alone for as long as it asks")
    func aServerIsLeftAloneForAsLongAsItAsks() {
        var trying = Trying(locations: 1, at: start)
        _ = trying.fail(AttemptFailure(.throttled, .throttled, retryAfter: .seconds(30), detail: "played"))
        let waited = trying.comeBack()
        #expect(waited == .seconds(30))
    }

    @Test("Of several failed locations the one that is ready first is asked first", arguments: [(20, 5), (5, 20)])
    func theEarliestRevisitFirst(first: Int, second: Int) {
        var trying = Trying(locations: 2, at: start)
        for rest in [first, second] {
            _ = trying.fail(AttemptFailure(.throttled, .throttled, retryAfter: .seconds(rest), detail: "played"))
        }
        #expect(trying.machine.phase == .waiting(candidate: first < second ? 0 : 1, until: start + .seconds(5)))
    }

    @Test("A server that cuts a paused read before its first byte has failed")
    func cutBeforeTheFirstByte() throws {
        let layout = try #require(ChunkLayout(size: Self.size, chunkSize: 8))
        var policy = RelayPolicy()
        policy.window = 8
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: Self.size, verification: .chunks(layout), candidates: [.init(), .init()]), policy: policy,
            seed: 1,
            at: start)
        _ = machine.handle(.begin, at: start)
        let (first, second) = (AttemptID(number: 0), AttemptID(number: 1))
        _ = machine.handle(.began(first), at: start)
        _ = machine.handle(.head(first, ObjectHead(first: 0, count: Self.size, total: Self.size, validator: nil)), at: start)
        _ = machine.handle(.bytes(first, dropped: 0, kept: 8), at: start)
        _ = machine.handle(.failed(first, Self.reset), at: start)
        _ = machine.handle(.began(second), at: start)
        _ = machine.handle(
            .head(second, ObjectHead(first: 8, count: Self.size - 8, total: Self.size, validator: nil)), at: start)
        #expect(machine.handle(.chunksVerified(upTo: 8), at: start).contains(.pause(second)), "the window is full")
        let actions = machine.handle(.failed(second, Self.reset), at: start)
        #expect(actions.contains(.report(.failed(candidate: 1, Self.reset))))
        #expect(!actions.contains(.report(.resumed(candidate: 1, offset: 8))))
    }

    @Test("Each stall doubles the timeout, up to its limit")
    func eachStallDoublesTheTimeout() {
        var policy = RelayPolicy()
        policy.stallTimeout = .seconds(3)
        policy.stallTimeoutLimit = .seconds(20)
        policy.giveUpAfter = .seconds(3600)
        var trying = Trying(locations: 1, policy, at: start)
        for expected in [3, 6, 12, 20, 20] {
            trying.receive(0)
            let timeout = Duration.seconds(expected)
            #expect(trying.machine.stallTimeout(of: 0) == timeout)
            trying.now += timeout
            _ = trying.fail(.stall("no byte", for: timeout))
            let waited = trying.comeBack()
            #expect(waited != nil)
        }
    }

    @Test("A server without ranges is read from its start only up to the discard limit")
    func aServerWithoutRangesIsReadUpToTheDiscardLimit() {
        for (position, isUsed) in [(Int64(5 << 20), true), (Int64(5 << 20) + 1, false)] {
            var policy = RelayPolicy()
            policy.discardLimit = 5 << 20
            var trying = Trying(locations: 2, policy, at: start)
            trying.receive(position)
            _ = trying.fail(AttemptFailure(.missing, .location, detail: "played"))
            let everything = ObjectHead(first: 0, count: Self.size, total: Self.size, validator: nil, answersRanges: false)
            let actions = trying.machine.handle(.head(trying.id, everything), at: trying.now)
            guard isUsed else {
                #expect(actions.last == .abort(.exhausted), "the rest would exceed the discard limit")
                continue
            }
            trying.attempts += 1
            _ = trying.machine.handle(.head(trying.id, everything), at: trying.now)
            #expect(trying.machine.bodyWindow(of: trying.id) == BodyWindow(skip: position, take: Self.size - position))
        }
    }

    @Test("A client that takes none of the ready bytes is cut off after the timeout")
    func aClientThatTakesNothing() {
        var trying = Trying(locations: 1, at: start)
        let timeout = trying.machine.policy.clientStallTimeout
        trying.receive(4 << 20)
        let fed = start + .seconds(200)
        _ = trying.machine.handle(.consumed(1 << 20), at: fed)
        #expect(trying.machine.handle(.tick, at: fed + timeout - .milliseconds(1)).isEmpty)
        #expect(trying.machine.handle(.tick, at: fed + timeout).last == .abort(.clientStalled))
    }

    @Test("A client that still takes ready bytes is not cut off")
    func aClientThatStillTakesReadyBytesIsNotCutOff() {
        var trying = Trying(locations: 1, at: start)
        let timeout = trying.machine.policy.giveUpAfter
        trying.receive(4 << 20)
        _ = trying.fail(AttemptFailure(.throttled, .throttled, retryAfter: .seconds(3600), detail: "played"))
        let fed = start + timeout - .seconds(1)
        _ = trying.machine.handle(.consumed(1 << 20), at: fed)
        #expect(trying.machine.handle(.tick, at: fed + timeout - .milliseconds(1)).isEmpty)
        #expect(trying.machine.handle(.tick, at: fed + timeout).last == .abort(.exhausted))
    }
}
