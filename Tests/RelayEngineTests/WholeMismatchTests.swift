import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// How a relay handles a mismatch of a small image, none of which is delivered before its digest is verified.
@Suite struct WholeMismatchTests {
    private static let size: Int64 = 1000
    private let start = ContinuousClock.now

    private func machine(locations: Int) -> RelayStateMachine {
        let candidates = (0..<locations).map { _ in RelayPlan.Candidate() }
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: Self.size, candidates: candidates), policy: RelayPolicy(), seed: 1, at: start)
        _ = machine.handle(.begin, at: start)
        return machine
    }

    /// The running attempt gets a good head and so many bytes, or all that are left.
    private func bring(_ count: Int64? = nil, to machine: inout RelayStateMachine) -> [RelayAction] {
        guard let attempt = machine.attempt else { return [] }
        let rest = Self.size - machine.accepted
        let head = ObjectHead(first: machine.accepted, count: rest, total: Self.size, validator: nil)
        _ = machine.handle(.began(attempt.id), at: start)
        _ = machine.handle(.head(attempt.id, head), at: start)
        return machine.handle(.bytes(attempt.id, dropped: 0, kept: count ?? rest), at: start)
    }

    @Test("A location that served a wrong whole alone is not asked again")
    func wrongAlone() {
        var machine = machine(locations: 2)
        for location in 0..<2 {
            #expect(machine.attempt?.candidate == location)
            #expect(bring(to: &machine).last == .compareWholeDigest)
            _ = machine.handle(.wholeDigestCompared(matched: false), at: start)
        }
        #expect(machine.phase == .ended(.refused))
    }

    @Test("An image that two locations together deliver wrongly again and again is given up")
    func wrongTogether() {
        var machine = machine(locations: 2)
        var wholes = 0
        while machine.attempt != nil, wholes < 100 {
            _ = bring(Self.size / 2, to: &machine)
            guard let id = machine.attempt?.id, let candidate = machine.attempt?.candidate else { break }
            // The first half stays, and the other location continues: this one is throttled.
            _ = machine.handle(.failed(id, AttemptFailure(.throttled, .throttled, detail: "played")), at: start)
            if case .waiting(_, let until) = machine.phase { _ = machine.handle(.tick, at: until) }
            #expect(machine.attempt?.candidate != candidate)
            _ = bring(to: &machine)
            _ = machine.handle(.wholeDigestCompared(matched: false), at: start)
            wholes += 1
        }
        #expect(machine.phase == .ended(.refused))
        #expect(wholes == 5, "two for each location, and the last one")
    }

    /// Whether the relay asks for estimates while it reads ten bytes per second for ten seconds.
    private func looksAround(_ machine: inout RelayStateMachine, at start: ContinuousClock.Instant) -> Bool {
        guard let id = machine.attempt?.id else { return false }
        var hasAsked = false
        _ = bring(1, to: &machine)
        for second in 1...10 {
            let actions = machine.handle(.bytes(id, dropped: 0, kept: 10), at: start + .seconds(second))
            hasAsked = hasAsked || actions.contains(.estimate(id))
        }
        return hasAsked
    }

    @Test("After a wrong whole, a slow location is not left for a faster one")
    func slowAfterAMismatch() {
        var machine = machine(locations: 3)
        #expect(looksAround(&machine, at: start))
        machine = self.machine(locations: 3)
        _ = bring(to: &machine)
        _ = machine.handle(.wholeDigestCompared(matched: false), at: start)
        #expect(machine.attempt?.candidate == 1)
        #expect(!looksAround(&machine, at: start))
    }
}
