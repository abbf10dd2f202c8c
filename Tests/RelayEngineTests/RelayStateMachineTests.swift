import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

@Suite struct RelayStateMachineTests {
    static let seeds: ClosedRange<UInt64> = 1...40_000

    @Test("Every sequence of events keeps byte k at byte k")
    func everySequenceOfEventsKeepsByteKAtByteK() async {
        var coverage: [String: Int] = [:]
        var outcomes: [String: Int] = [:]
        var rejections = 0
        var slowFailovers = 0
        var yields = 0
        for seed in Self.seeds {
            await yieldThread(seed)
            var relay = SimulatedRelay(seed: seed)
            for _ in 0..<400 {
                step(&relay)
                if !relay.ends.isEmpty, Int.random(in: 0..<4, using: &relay.random) == 0 { break }
            }
            #expect(relay.complaints.isEmpty, "seed \(seed): \(relay.complaints)")
            if !relay.complaints.isEmpty { break }
            rejections += relay.rejections
            coverage.merge(relay.coverage, uniquingKeysWith: +)
            slowFailovers += relay.slowFailovers
            yields += relay.yields
            outcomes["\(relay.ends.first.map { "\($0)" } ?? "none")", default: 0] += 1
        }
        print("seeds \(Self.seeds), outcomes \(outcomes), failovers for slowness \(slowFailovers)")
        #expect(slowFailovers >= 500)
        #expect(yields >= 1000, "\(yields) permits were given back only")
        #expect(rejections >= 1000, "\(rejections) chunks were turned down only")
        for phase in SimulatedRelay.phaseNames {
            for event in SimulatedRelay.eventNames {
                let count = coverage["\(phase) × \(event)"] ?? 0
                #expect(count >= 50, "\(phase) × \(event) was tried \(count) times only")
            }
        }
    }

    @Test("With one sound server every delivery finishes")
    func withOneSoundServerEveryDeliveryFinishes() async {
        for seed in UInt64(1)...3_000 {
            await yieldThread(seed)
            var relay = SimulatedRelay(seed: seed)
            relay.send(.begin)
            var steps = 0
            while relay.ends.isEmpty, steps < 20_000 {
                steps += 1
                goodStep(&relay)
            }
            #expect(relay.complaints.isEmpty, "seed \(seed): \(relay.complaints)")
            #expect(relay.ends == [.finish], "seed \(seed): \(relay.ends) after \(steps) steps, \(relay.machine.phase)")
            if relay.ends != [.finish] { break }
        }
    }

    /// Tests share one thread per processor: a long computation yields it from time to time.
    private func yieldThread(_ seed: UInt64) async {
        if seed.isMultiple(of: 1000) { await Task.yield() }
    }

    /// Sends one event: mostly one that could come next, sometimes one that should not come at all.
    private func step(_ relay: inout SimulatedRelay) {
        relay.now += .milliseconds(Int.random(in: 0...60, using: &relay.random))
        if Int.random(in: 0..<5, using: &relay.random) == 0 { return strangeStep(&relay) }
        if relay.awaitsDecision, Int.random(in: 0..<4, using: &relay.random) > 0 { return relay.verify() }
        if relay.mustVerify, Int.random(in: 0..<4, using: &relay.random) == 0 { return relay.verifyWhole() }
        // Most answers come at once, as the relay's do.
        if relay.estimating != nil, Int.random(in: 0..<4, using: &relay.random) > 0 { return relay.estimate() }
        switch Int.random(in: 0..<20, using: &relay.random) {
        case 0: relay.send(.begin)
        case 1...3: relay.send(.tick)
        case 4...5: consume(&relay)
        case 6: Int.random(in: 0..<4, using: &relay.random) == 0 ? relay.wantPermit() : consume(&relay)
        case 7:
            if let id = relay.answer?.id ?? relay.gate?.id { fail(&relay, id) }
        default: serve(&relay)
        }
    }

    private func strangeStep(_ relay: inout SimulatedRelay) {
        let stale = AttemptID(number: Int.random(in: -1...3, using: &relay.random))
        let id = [relay.answer?.id, relay.gate?.id].contains(stale) ? AttemptID(number: -1) : stale
        switch Int.random(in: 0..<42, using: &relay.random) {
        case 0...1: relay.send(.clientGone)
        case 2...4: relay.send(.head(id, ObjectHead(first: 0, count: nil, total: nil, validator: nil)))
        case 5...8: relay.send(.bytes(id, dropped: 0, kept: 5))
        case 9...12: relay.send(.completed(id))
        case 13...16: relay.send(.failed(id, AttemptFailure(.reset, .backend, detail: "stale")))
        case 17...18: relay.send(.began(id))
        case 19: relay.send(.permitted(id))
        case 20: relay.send(.requested(id))
        case 21...24:
            if !relay.mustVerify { relay.send(.wholeDigestCompared(matched: true)) }
        case 25...28: relay.send(.consumed(Int64.random(in: -1...0, using: &relay.random)))
        case 29...32: relay.send(.begin)
        case 33:
            relay.now += .seconds(Int.random(in: 0...30, using: &relay.random))
            relay.send(.tick)
        case 34...35:
            relay.send(
                .withdrawn(
                    candidate: Int.random(in: -1...3, using: &relay.random), atOnce: Bool.random(using: &relay.random)))
        case 36:
            relay.send(.chunksVerified(upTo: -1))
            relay.estimate(by: id)
        case 37: relay.send(.chunkRejected(start: -1, digest: []))
        case 38:
            // It ends the relay: less often where many events are to follow.
            let isRare = relay.machine.attempt != nil && Int.random(in: 0..<4, using: &relay.random) > 0
            if !isRare { relay.send(.manifestUnreadable) }
        case 40: relay.send(.permitWanted(id))
        case 41: relay.send(.window([12, 24, 48].randomElement(using: &relay.random) ?? 48))
        case 39: Bool.random(using: &relay.random) ? relay.send(.requested(id)) : relay.estimate(by: id)
        default: relay.send(.tick)
        }
    }

    private func serve(_ relay: inout SimulatedRelay) {
        if relay.gate != nil { return relay.openGate() }
        guard let answer = relay.answer else { return relay.send(.tick) }
        if !answer.hasSentHead {
            relay.send(.began(answer.id))
            relay.sendHead(of: answer)
        } else if answer.position < answer.end {
            relay.sendBytes(Int64.random(in: 1...40, using: &relay.random))
        } else {
            relay.answer = nil
            relay.send(.completed(answer.id))
        }
    }

    private func fail(_ relay: inout SimulatedRelay, _ id: AttemptID) {
        if relay.answer?.id == id { relay.answer = nil }
        if relay.gate?.id == id { relay.gate = nil }
        let reasons: [AttemptFailure.Reason] = [.reset, .shortBody, .serverError, .missing, .stall, .unauthorized]
        let reason = reasons[Int.random(in: 0..<reasons.count, using: &relay.random)]
        let failureClass: FailureClass =
            switch reason {
            case .missing: .location
            case .unauthorized: .credentials
            default: .backend
            }
        relay.send(.failed(id, AttemptFailure(reason, failureClass, detail: "generated")))
    }

    private func consume(_ relay: inout SimulatedRelay) {
        let there = relay.mayRelease - relay.plan.delivery.lowerBound
        guard there > relay.consumed else { return relay.send(.consumed(relay.consumed)) }
        relay.consumed = Int64.random(in: (relay.consumed + 1)...there, using: &relay.random)
        relay.send(.consumed(relay.consumed))
    }

    /// Every server fails in all ways except the last one, which is sound; the client takes what it gets.
    private func goodStep(_ relay: inout SimulatedRelay) {
        relay.now += .milliseconds(20)
        relay.send(.tick)
        if relay.mustVerify { return relay.verifyWhole() }
        if relay.awaitsDecision { return relay.verify() }
        if relay.estimating != nil { return relay.estimate() }
        consume(&relay)
        if Int.random(in: 0..<40, using: &relay.random) == 0 { relay.wantPermit() }
        if Int.random(in: 0..<40, using: &relay.random) == 0 {
            relay.send(.window([12, 24, 48].randomElement(using: &relay.random) ?? 48))
        }
        if let gate = relay.gate {
            // The sound server admits at once; the others admit sometimes, and may fail instead.
            if gate.candidate == relay.plan.candidates.count - 1 { return relay.openGate() }
            switch Int.random(in: 0..<6, using: &relay.random) {
            case 0: return fail(&relay, gate.id)
            case 1...2: return relay.openGate()
            default: return
            }
        }
        guard let answer = relay.answer else { return }
        if answer.candidate == relay.plan.candidates.count - 1 {
            if !answer.hasSentHead { relay.answer = soundAnswer(answer, relay) }
        } else if answer.isSpoiling || answer.isExchanged, relay.plan.verification == .digest {
            relay.answer = soundAnswer(answer, relay)  // bytes delivered without a manifest can't be corrected
        } else if Int.random(in: 0..<6, using: &relay.random) == 0 {
            return fail(&relay, answer.id)
        }
        serve(&relay)
    }

    private func soundAnswer(_ answer: SimulatedRelay.Answer, _ relay: SimulatedRelay) -> SimulatedRelay.Answer {
        let attempt = relay.machine.attempt
        let first = attempt?.start ?? 0
        let end = attempt?.end ?? relay.plan.end
        return SimulatedRelay.Answer(
            id: answer.id, candidate: answer.candidate, position: first, end: end, isSpoiling: false,
            head: ObjectHead(
                first: first, count: end - first, total: relay.plan.size,
                validator: SimulatedRelay.validator(of: answer.candidate)))
    }
}

/// How a relay handles a location whose status changes during the relay.
@Suite struct WithdrawalTests {
    private let now = ContinuousClock.now

    /// A relay that has read 100 of 1000 bytes from the first of `count` candidates.
    private func reading(of count: Int) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.tail = 10
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: 1000, candidates: (0..<count).map { _ in .init() }), policy: policy, seed: 1, at: now)
        _ = machine.handle(.begin, at: now)
        let id = AttemptID(number: 0)
        _ = machine.handle(.began(id), at: now)
        _ = machine.handle(.head(id, ObjectHead(first: 0, count: 1000, total: 1000, validator: nil)), at: now)
        _ = machine.handle(.bytes(id, dropped: 0, kept: 100), at: now)
        return machine
    }

    @Test("A withdrawn location is left at the next byte if another one can continue")
    func aWithdrawnLocationIsLeftAtTheNextByte() {
        for atOnce in [false, true] {
            var machine = reading(of: 2)
            let actions = machine.handle(.withdrawn(candidate: 0, atOnce: atOnce), at: now)
            #expect(actions.first == .cancel(AttemptID(number: 0)))
            #expect(
                actions.last == .start(AttemptID(number: 1), candidate: 1, range: ByteRange(first: 100, last: 999)))
        }
    }

    @Test("The only location left continues when an operator withdraws it")
    func theOnlyLocationContinuesWhenAnOperatorWithdrawsIt() {
        var machine = reading(of: 1)
        #expect(machine.handle(.withdrawn(candidate: 0, atOnce: false), at: now).isEmpty)
        #expect(machine.attempt != nil)
    }

    @Test("The only location left is cut off when its content is wrong")
    func theOnlyLocationIsCutOffWhenItsContentIsWrong() {
        var machine = reading(of: 1)
        let actions = machine.handle(.withdrawn(candidate: 0, atOnce: true), at: now)
        #expect(actions.last == .abort(.exhausted))
    }

    @Test("A location that is withdrawn before its turn is not asked")
    func aLocationWithdrawnBeforeItsTurnIsNotAsked() {
        var machine = reading(of: 2)
        #expect(machine.handle(.withdrawn(candidate: 1, atOnce: false), at: now).isEmpty)
        let failure = AttemptFailure(.missing, .location, detail: "gone")
        #expect(machine.handle(.failed(AttemptID(number: 0), failure), at: now).last == .abort(.exhausted))
    }

    @Test("A slow client is not cut off when the location that waits for it is withdrawn")
    func aSlowClientIsNotCutOffByAWithdrawal() {
        let size = 16 << 20
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: Int64(size), candidates: [.init(), .init()]), policy: RelayPolicy(), seed: 1, at: now)
        let id = AttemptID(number: 0)
        _ = machine.handle(.begin, at: now)
        _ = machine.handle(.began(id), at: now)
        _ = machine.handle(
            .head(id, ObjectHead(first: 0, count: Int64(size), total: Int64(size), validator: nil)), at: now)
        let window = machine.policy.window
        #expect(machine.handle(.bytes(id, dropped: 0, kept: window), at: now).last == .pause(id))
        let later = now + machine.policy.giveUpAfter + .seconds(1)
        let actions = machine.handle(.withdrawn(candidate: 0, atOnce: true), at: later)
        #expect(
            actions.last
                == .start(AttemptID(number: 1), candidate: 1, range: ByteRange(first: window, last: Int64(size) - 1)))
        #expect(machine.handle(.tick, at: later + .milliseconds(25)).isEmpty)
        #expect(machine.attempt != nil)
    }

    @Test("Stalls that are followed by progress do not use up a long download's budget")
    func stallsFollowedByProgressCostNothing() {
        var now = now
        let piece = RelayPolicy().refundAfter
        let size = piece * 20
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: size, candidates: [.init()]), policy: RelayPolicy(), seed: 1, at: now)
        _ = machine.handle(.begin, at: now)
        for number in 0..<8 {
            let id = AttemptID(number: number)
            let first = Int64(number) * piece
            _ = machine.handle(.began(id), at: now)
            _ = machine.handle(.head(id, ObjectHead(first: first, count: size - first, total: size, validator: nil)), at: now)
            _ = machine.handle(.bytes(id, dropped: 0, kept: piece), at: now)
            _ = machine.handle(.consumed(first + piece), at: now)
            now += machine.policy.stallTimeout
            _ = machine.handle(.failed(id, .stall("no byte", for: machine.policy.stallTimeout)), at: now)
            now += machine.policy.backoffLimit
            _ = machine.handle(.tick, at: now)
        }
        #expect(machine.attempt != nil)
    }
}
