import BackendKit
import ImageModel
import LocationSelection
import OriginRead
import Testing

@testable import RelayEngine

/// How a relay handles heads that are legal but not what it requested: shorter answers, and other validators.
@Suite struct AnswerTests {
    private static let size: Int64 = 1000
    private let now = ContinuousClock.now

    private func machine(
        _ candidates: [RelayPlan.Candidate] = [.init()], verification: RelayPlan.Verification = .digest, range: ByteRange? = nil
    ) -> RelayStateMachine {
        var policy = RelayPolicy()
        policy.revisits = 0
        policy.tail = 10
        let plan =
            range.map { RelayPlan(range: $0, of: Self.size, candidates: candidates) }
            ?? RelayPlan(whole: Self.size, verification: verification, candidates: candidates)
        var machine = RelayStateMachine(plan: plan, policy: policy, seed: 1, at: now)
        _ = machine.handle(.begin, at: now)
        return machine
    }

    /// Gives the running attempt a head at its position, and all bytes that the head announces except the missing ones.
    private func answer(
        _ machine: inout RelayStateMachine, _ count: Int64? = nil, total: Int64? = size, validator: String? = nil,
        without missing: Int64 = 0
    ) -> [RelayAction] {
        guard let id = machine.attempt?.id else { return [] }
        let first = machine.accepted
        let count = count ?? machine.plan.end - first
        var actions = machine.handle(.began(id), at: now)
        actions += machine.handle(
            .head(id, ObjectHead(first: first, count: count, total: total, validator: validator.map { Validator($0) })), at: now
        )
        guard machine.bodyWindow(of: id) != nil else { return actions }
        actions += machine.handle(.bytes(id, dropped: 0, kept: count - missing), at: now)
        actions += machine.handle(.consumed(machine.released - machine.plan.delivery.lowerBound), at: now)
        if missing > 0 {
            actions += machine.handle(.failed(id, AttemptFailure(.reset, .backend, detail: "played")), at: now)
        } else {
            actions += machine.handle(.completed(id), at: now)
        }
        return actions
    }

    /// Why attempts at the first location failed.
    private func failures(_ actions: [RelayAction]) -> [AttemptFailure.Reason] {
        actions.compactMap { if case .report(.failed(0, let failure)) = $0 { failure.reason } else { nil } }
    }

    @Test(
        "An answer shorter than requested is accepted, and the rest is requested at once at the same location",
        arguments: [1, 7, 400, 999])
    func shortAnswers(cap: Int64) {
        for total in [Self.size, nil] {
            var machine = machine([.init(), .init()])
            var actions: [RelayAction] = []
            var attempts = 0
            while machine.accepted < Self.size, attempts < 2000 {
                #expect(machine.attempt?.candidate == 0)
                #expect(machine.attempt?.range == ByteRange(first: machine.accepted, last: Self.size - 1))
                actions += answer(&machine, min(cap, Self.size - machine.accepted), total: total)
                attempts += 1
            }
            #expect(machine.phase == .verifying)
            #expect(Int64(attempts) == (Self.size + cap - 1) / cap)
            let reports = actions.filter { if case .report = $0 { true } else { false } }
            #expect(reports.isEmpty, "an attempt failed, or the relay moved")
        }
    }

    @Test("A short answer that delivers less than it announced is a failure")
    func shortBody() {
        var machine = machine([.init(), .init()])
        let id = AttemptID(number: 0)
        _ = machine.handle(.head(id, ObjectHead(first: 0, count: 400, total: Self.size, validator: nil)), at: now)
        _ = machine.handle(.bytes(id, dropped: 0, kept: 399), at: now)
        let actions = machine.handle(.completed(id), at: now)
        #expect(failures(actions) == [.shortBody])
    }

    @Test("An answer that announces no bytes or another total is rejected", arguments: [(0, 1000), (400, 999), (400, 1001)])
    func refusedHeads(count: Int64, total: Int64) {
        var machine = machine([.init(), .init()])
        let id = AttemptID(number: 0)
        _ = machine.handle(.head(id, ObjectHead(first: 0, count: count, total: total, validator: nil)), at: now)
        #expect(machine.attempt?.candidate == 1)
    }

    @Test("With a manifest, another validator neither stops nor moves the relay")
    func validatorsWithManifest() throws {
        let layout = try #require(ChunkLayout(size: Self.size, chunkSize: 100))
        var machine = machine([.init(), .init()], verification: .chunks(layout))
        for number in 0..<10 {
            #expect(machine.attempt?.candidate == 0)
            _ = answer(&machine, 100, validator: "v\(number % 2)")
        }
        #expect(machine.accepted == Self.size)
        #expect(machine.hasChanged(0))
    }

    @Test("Without a manifest, a whole continues with another validator if no other location can serve")
    func validatorsWithDigest() {
        var machine = machine()
        _ = answer(&machine, validator: "v1", without: 500)
        for number in 0..<5 { _ = answer(&machine, validator: "v\(number)", without: 400 - Int64(number)) }
        #expect(machine.attempt != nil, "\(machine.phase)")
        _ = answer(&machine, validator: "v9")
        #expect(machine.phase == .verifying && machine.accepted == Self.size)
        let actions = machine.handle(.wholeDigestCompared(matched: true), at: now)
        #expect(actions.contains(.release(upTo: Self.size)))
        #expect(machine.hasChanged(0), "no single object was verified")
    }

    @Test("Without a manifest, another validator moves the relay to another location first")
    func sameObjectFirst() {
        var machine = machine([.init(), .init()])
        _ = answer(&machine, 400, validator: "v1")
        let actions = answer(&machine, 400, validator: "v2")
        #expect(machine.attempt?.candidate == 1)
        #expect(failures(actions) == [.validatorChanged])
    }

    @Test(
        "An object that changes during reads is read further while it delivers bytes, but not for ever",
        arguments: [true, false])
    func changesWithinReads(hasManifest: Bool) throws {
        let layout = try #require(ChunkLayout(size: Self.size, chunkSize: 100))
        var machine = machine(verification: hasManifest ? .chunks(layout) : .digest)
        func change(after bytes: Int64) {
            guard let id = machine.attempt?.id else { return }
            _ = machine.handle(.began(id), at: now)
            let head = ObjectHead(
                first: machine.accepted, count: machine.plan.end - machine.accepted, total: Self.size, validator: Validator("v")
            )
            _ = machine.handle(.head(id, head), at: now)
            if bytes > 0 { _ = machine.handle(.bytes(id, dropped: 0, kept: bytes), at: now) }
            let failure = AttemptFailure(.validatorChanged, .location, detail: "played")
            _ = machine.handle(.failed(id, failure), at: now)
        }
        for _ in 0..<9 {
            change(after: 10)
            #expect(machine.attempt != nil)
        }
        for _ in 0..<3 {
            change(after: 0)
            #expect(machine.attempt != nil)
        }
        change(after: 0)
        #expect(machine.attempt == nil, "there are no revisits that it may spend")
    }

    @Test("A weak entity tag with the same text is the same object")
    func weakTags() {
        var machine = machine([.init(), .init()])
        _ = answer(&machine, 400, validator: "\"v\"")
        _ = answer(&machine, 400, validator: "W/\"v\"")
        #expect(machine.attempt?.candidate == 0 && !machine.hasChanged(0))
    }

    @Test("A range without a manifest never comes from another object", arguments: [nil, "v2", "W/\"v2\""])
    func rangesArePinned(validator: String?) throws {
        let range = try #require(ByteRange(first: 100, last: 899))
        let pinned = RelayPlan.Candidate(requiredValidator: Validator("v1"))
        var fresh = machine([pinned], range: range)
        let refused = answer(&fresh, validator: validator)
        #expect(refused.last == .refuse)
        var running = machine([pinned], range: range)
        _ = answer(&running, 400, validator: "v1")
        let cut = answer(&running, validator: validator)
        #expect(cut.last == .abort(.exhausted))
    }
}
