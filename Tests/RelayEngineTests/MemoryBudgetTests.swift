import BackendKit
import ImageModel
import LocationSelection
import Testing

@testable import RelayEngine

/// How memory is divided among downloads.
@Suite struct MemoryBudgetTests {
    private let need = MemoryNeed(smallestWindow: 1, minimum: 10, full: 40)

    private func ticket(_ entry: MemoryBudget.Entry) -> MemoryBudget.Ticket? {
        switch entry {
        case .admitted(let ticket, _), .waiting(let ticket): ticket
        case .tooMany: nil
        }
    }

    private func granted(_ entry: MemoryBudget.Entry) -> Int64? {
        if case .admitted(_, let bytes) = entry { bytes } else { nil }
    }

    @Test("Downloads get full shares up to half of the memory, then minimum shares, and then they wait")
    func sharesShrinkBeforeADownloadWaits() {
        var budget = MemoryBudget(limit: 200, downloadsPerCaller: 0)
        let shares = (0..<14).map { granted(budget.enter("caller \($0)", need)) }
        #expect(shares.prefix(2) == [40, 40])
        #expect(shares[2..<14].allSatisfy { $0 == 10 })
        #expect(budget.reserved == 200 && budget.waitingCount == 0)
        #expect(granted(budget.enter("late", need)) == nil)
        #expect(budget.reserved == 200 && budget.waitingCount == 1)
    }

    @Test("A download that leaves admits the next one")
    func leavingLetsInTheNext() throws {
        var budget = MemoryBudget(limit: 40, downloadsPerCaller: 0)
        let first = try #require(ticket(budget.enter("a", MemoryNeed(smallestWindow: 1, minimum: 40, full: 40))))
        let waiting = try #require(ticket(budget.enter("b", need)))
        #expect(budget.leave(first) == [.init(ticket: waiting, bytes: 10)])
        #expect(budget.leave(first).isEmpty, "left twice")
        #expect(budget.reserved == 10)
    }

    @Test("A download that leaves the queue is skipped")
    func aDownloadThatLeavesTheQueueIsSkipped() throws {
        var budget = MemoryBudget(limit: 40, downloadsPerCaller: 0)
        let first = try #require(ticket(budget.enter("a", MemoryNeed(smallestWindow: 1, minimum: 40, full: 40))))
        let gone = try #require(ticket(budget.enter("b", need)))
        let next = try #require(ticket(budget.enter("c", need)))
        #expect(budget.leave(gone).isEmpty)
        #expect(budget.leave(first) == [.init(ticket: next, bytes: 10)])
    }

    @Test("The caller with the least memory is next, whichever came first")
    func callersTakeTurns() throws {
        var budget = MemoryBudget(limit: 80, downloadsPerCaller: 0)
        let small = MemoryNeed(smallestWindow: 1, minimum: 20, full: 20)
        let held = (0..<3).compactMap { _ in ticket(budget.enter("greedy", small)) }
        let other = ticket(budget.enter("other", small))
        for _ in 0..<5 { #expect(granted(budget.enter("greedy", small)) == nil) }
        let third = try #require(ticket(budget.enter("third", small)))
        #expect(budget.leave(held[0]) == [.init(ticket: third, bytes: 20)])
        #expect(other != nil)
    }

    @Test("One caller gets at most three quarters of the memory, and one download in any case")
    func oneCallerLeavesRoom() {
        var budget = MemoryBudget(limit: 200, downloadsPerCaller: 0)
        for _ in 0..<100 { _ = budget.enter("greedy", need) }
        #expect(budget.reserved == 150)
        #expect(granted(budget.enter("other", need)) == 10)
        var small = MemoryBudget(limit: 5, downloadsPerCaller: 0)
        #expect(granted(small.enter("a", need)) == 10)
        #expect(granted(small.enter("b", need)) == nil)
    }

    @Test("A caller has at most the configured number of downloads, waiting ones included")
    func downloadsPerCallerAreCounted() throws {
        var budget = MemoryBudget(limit: 200, downloadsPerCaller: 2)
        let first = try #require(ticket(budget.enter("a", need)))
        _ = budget.enter("a", need)
        #expect(budget.enter("a", need) == .tooMany)
        #expect(granted(budget.enter("b", need)) != nil)
        _ = budget.leave(first)
        #expect(granted(budget.enter("a", need)) != nil)
    }

    @Test("Large shares shrink to what they hold where memory is short, and grow again later")
    func sharesFollowTheDemand() throws {
        var budget = MemoryBudget(limit: 200, downloadsPerCaller: 0)
        let large = try #require(ticket(budget.enter("a", need)))
        #expect(budget.pressure == .roomy)
        var others: [MemoryBudget.Ticket] = []
        for number in 0..<13 { others += [ticket(budget.enter("\(number)", need))].compactMap(\.self) }
        #expect(budget.pressure == .tight)
        #expect(budget.adjust(large, holding: 35).bytes == 35)
        #expect(budget.adjust(large, holding: 38).bytes == 35, "a share grew where memory is short")
        #expect(budget.adjust(large, holding: 3).bytes == 10)
        for other in others { _ = budget.leave(other) }
        #expect(budget.pressure == .roomy)
        #expect(budget.adjust(large, holding: 3).bytes == 40)
        #expect(budget.reserved == 40)
    }

    @Test("A share that shrinks admits a waiting download")
    func shrinkingLetsInTheNext() throws {
        var budget = MemoryBudget(limit: 80, downloadsPerCaller: 0)
        let large = try #require(ticket(budget.enter("a", need)))
        for number in 0..<4 { _ = budget.enter("\(number)", need) }
        let waiting = try #require(ticket(budget.enter("late", need)))
        #expect(budget.adjust(large, holding: 10).admissions == [.init(ticket: waiting, bytes: 10)])
    }

    @Test(
        "Under any sequence the limit holds, nothing leaks, and a download waits only while another one runs", arguments: 0..<50
    )
    func limitHolds(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var budget = MemoryBudget(limit: 300, downloadsPerCaller: 0)
        var inside: [MemoryBudget.Ticket: Int64] = [:]
        var outside: Set<MemoryBudget.Ticket> = []
        func take(_ admissions: [MemoryBudget.Admission]) {
            for admission in admissions {
                #expect(outside.remove(admission.ticket) != nil)
                inside[admission.ticket] = admission.bytes
            }
        }
        for _ in 0..<500 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                if let ticket = inside.keys.randomElement(using: &random) {
                    inside[ticket] = nil
                    take(budget.leave(ticket))
                }
            case 1:
                if let ticket = outside.randomElement(using: &random) {
                    outside.remove(ticket)
                    take(budget.leave(ticket))
                }
            case 2:
                if let ticket = inside.keys.randomElement(using: &random) {
                    let adjusted = budget.adjust(ticket, holding: .random(in: 0...60, using: &random))
                    inside[ticket] = adjusted.bytes
                    take(adjusted.admissions)
                }
            default:
                let minimum = Int64.random(in: 5...30, using: &random)
                let need = MemoryNeed(smallestWindow: 1, minimum: minimum, full: minimum + .random(in: 0...60, using: &random))
                switch budget.enter("\(Int.random(in: 0..<4, using: &random))", need) {
                case .admitted(let ticket, let bytes): inside[ticket] = bytes
                case .waiting(let ticket): outside.insert(ticket)
                case .tooMany: Issue.record("nothing limits the downloads of a caller")
                }
            }
            #expect(budget.reserved == inside.values.reduce(0, +))
            #expect(budget.reserved <= 300 && budget.waitingCount == outside.count && budget.holdingCount == inside.count)
            #expect(outside.isEmpty || !inside.isEmpty)
        }
        for ticket in outside { take(budget.leave(ticket)) }
        for ticket in inside.keys { _ = budget.leave(ticket) }
        #expect(budget.reserved == 0 && budget.waitingCount == 0 && budget.holdingCount == 0)
    }

    // MARK: What a relay needs

    private func need(_ plan: RelayPlan) -> MemoryNeed {
        var policy = RelayPolicy()
        policy.window = 4 << 20
        policy.tail = 2 << 20
        policy.batch = 1 << 20
        return MemoryNeed(plan, policy)
    }

    @Test("A relay needs memory for its window, its unverified bytes and a last batch; a small image needs less")
    func needsFollowThePlan() throws {
        let layout = try #require(ChunkLayout(size: 1 << 30, chunkSize: 1 << 20))
        #expect(
            need(RelayPlan(whole: 1 << 30, verification: .chunks(layout), candidates: []))
                == MemoryNeed(smallestWindow: 1 << 20, minimum: 3 << 20, full: 9 << 20))
        #expect(
            need(RelayPlan(whole: 1 << 30, candidates: []))
                == MemoryNeed(smallestWindow: 1 << 20, minimum: 4 << 20, full: 7 << 20))
        #expect(need(RelayPlan(whole: 1000, candidates: [])).full == (1 << 20) + 1000)
    }

    @Test("A smaller window pauses the read earlier, and a larger one resumes it")
    func windowChanges() {
        var policy = RelayPolicy()
        policy.window = 10_000
        let start = ContinuousClock.now
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: 10_000_000, candidates: [.init()]), policy: policy, seed: 1, at: start)
        let id = AttemptID(number: 0)
        _ = machine.handle(.begin, at: start)
        #expect(machine.handle(.window(1000), at: start).isEmpty)
        _ = machine.handle(.began(id), at: start)
        _ = machine.handle(.head(id, .init(first: 0, count: 10_000_000, total: 10_000_000, validator: nil)), at: start)
        #expect(machine.handle(.bytes(id, dropped: 0, kept: 999), at: start).last == .release(upTo: 999))
        #expect(machine.handle(.bytes(id, dropped: 0, kept: 1), at: start).last == .pause(id))
        #expect(machine.handle(.window(1500), at: start).isEmpty)
        #expect(machine.handle(.window(2000), at: start) == [.resume(id)])
        #expect(machine.held == 1000)
    }
}
