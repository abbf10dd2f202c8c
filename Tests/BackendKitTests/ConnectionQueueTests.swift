import Testing
import Waiting

@testable import BackendKit

@Suite struct ConnectionQueueTests {
    private typealias Step = ConnectionQueue.Step

    private func download(_ caller: String, _ image: String = "i") -> QueueKey { .download(by: caller, of: image) }

    /// Lets everybody who waits have the one connection in turn; says in which order, by the numbers of their tickets.
    private func order(_ queue: inout ConnectionQueue, holder: ConnectionQueue.Ticket) -> [UInt64] {
        var order: [UInt64] = []
        var holder = holder
        while case .admit(let next) = queue.leave(holder).first {
            order.append(next.number)
            holder = next
        }
        return order
    }

    @Test("As many as the limit are let in and the next when one leaves")
    func asManyAsTheLimitAreLetInAndTheNextWhenOneLeaves() {
        var queue = ConnectionQueue(limit: 2)
        let first = queue.enter(download("a"))
        let second = queue.enter(download("a"))
        let third = queue.enter(download("a"))
        #expect(first.steps == [.admit(first.ticket)] && second.steps == [.admit(second.ticket)] && third.steps.isEmpty)
        #expect(queue.leave(second.ticket) == [.admit(third.ticket)])
        #expect(queue.leave(second.ticket).isEmpty, "left twice, let in twice")
        #expect(queue.leave(first.ticket).isEmpty && queue.leave(third.ticket).isEmpty)
        #expect(queue.heldCount == 0 && queue.waitingCount == 0)
    }

    @Test("Who came first is first")
    func whoCameFirstIsFirst() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("x")).ticket
        for caller in ["c", "a", "b"] { _ = queue.enter(download(caller)) }
        #expect(order(&queue, holder: holder) == [1, 2, 3])
    }

    @Test("A caller with a thousand ranges holds nobody up for more than one")
    func aCallerWithAThousandRangesHoldsNobodyUpForMoreThanOne() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("greedy")).ticket
        for _ in 0..<1000 { _ = queue.enter(download("greedy")) }
        let other = queue.enter(download("other")).ticket
        let third = queue.enter(download("third")).ticket
        let order = order(&queue, holder: holder)
        #expect(order.prefix(3) == [1, other.number, third.number])
        #expect(order.count == 1002)
        #expect(order.filter { $0 <= 1000 } == Array(1...1000), "within a caller's image who came first is first")
    }

    @Test("An image with many ranges does not hold up its callers other images")
    func anImageWithManyRangesDoesNotHoldUpItsCallersOtherImages() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("fleet", "big")).ticket
        for _ in 0..<100 { _ = queue.enter(download("fleet", "big")) }
        let small = queue.enter(download("fleet", "small")).ticket
        #expect(order(&queue, holder: holder)[1] == small.number)
    }

    @Test("Many images of one caller are one turn among callers")
    func manyImagesOfOneCallerAreOneTurnAmongCallers() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("x")).ticket
        for image in 0..<100 { _ = queue.enter(download("greedy", "\(image)")) }
        let other = queue.enter(download("other")).ticket
        #expect(order(&queue, holder: holder)[1] == other.number)
    }

    @Test("Who does not wait any longer is passed over")
    func whoDoesNotWaitAnyLongerIsPassedOver() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("a")).ticket
        let tickets = ["b", "b", "c"].map { queue.enter(download($0)).ticket }
        #expect(queue.leave(tickets[0]).isEmpty && queue.leave(tickets[2]).isEmpty)
        #expect(queue.waitingCount == 1)
        #expect(order(&queue, holder: holder) == [tickets[1].number])
        #expect(queue.heldCount == 0 && queue.waitingCount == 0)
    }

    @Test("Downloads go before reads in the background")
    func downloadsGoBeforeReadsInTheBackground() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("a")).ticket
        let read = queue.enter(.maintenance(of: "i")).ticket
        let late = queue.enter(download("b")).ticket
        #expect(order(&queue, holder: holder) == [late.number, read.number])
    }

    @Test("A download that waits makes one read in the background give way")
    func aDownloadThatWaitsMakesOneReadInTheBackgroundGiveWay() {
        var queue = ConnectionQueue(limit: 3)
        let reads = (0..<2).map { _ in queue.enter(.maintenance(of: "i")).ticket }
        _ = queue.enter(download("a"))
        let first = queue.enter(download("b"))
        #expect(first.steps == [.yield(reads[1])])
        #expect(queue.enter(.maintenance(of: "j")).steps.isEmpty, "a read makes nobody give way")
        let second = queue.enter(download("c"))
        #expect(second.steps == [.yield(reads[0])], "the same read was asked twice")
        #expect(queue.enter(download("d")).steps.isEmpty)
        #expect(queue.leave(reads[0]) == [.admit(first.ticket)])
        #expect(queue.leave(reads[1]) == [.admit(second.ticket)])
    }

    /// Many come and go at random: never more than the limit, never one idle while somebody waits, nothing left over.
    @Test("Whatever comes the limit holds and nothing leaks", arguments: 0..<50) func whateverComesTheLimitHoldsAndNothingLeaks(
        seed: UInt64
    ) {
        var state = seed &* 2 &+ 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        let limit = 1 + random(4)
        var queue = ConnectionQueue(limit: limit)
        var inside: Set<ConnectionQueue.Ticket> = []
        var outside: [ConnectionQueue.Ticket] = []
        func take(_ steps: [Step]) {
            for case .admit(let ticket) in steps {
                #expect(outside.contains(ticket) && !inside.contains(ticket))
                outside.removeAll { $0 == ticket }
                inside.insert(ticket)
            }
        }
        for _ in 0..<500 {
            switch random(3) {
            case 0:
                if let ticket = inside.min(by: { $0.number < $1.number }) {
                    inside.remove(ticket)
                    take(queue.leave(ticket))
                }
            case 1 where !outside.isEmpty && random(3) == 0:
                take(queue.leave(outside.remove(at: random(outside.count))))
            default:
                let queueKey =
                    random(4) == 0 ? QueueKey.maintenance(of: "\(random(3))") : download("\(random(3))", "\(random(3))")
                let (ticket, steps) = queue.enter(queueKey)
                outside.append(ticket)
                take(steps)
            }
            #expect(inside.count <= limit && (inside.count == limit || outside.isEmpty))
            #expect(queue.heldCount == inside.count && queue.waitingCount == outside.count)
        }
        while let ticket = inside.popFirst() { take(queue.leave(ticket)) }
        #expect(queue.heldCount == 0 && queue.waitingCount == 0)
    }
}

@Suite struct ConnectionLimitTests {
    @Test("Who is no longer there has left")
    func whoIsNoLongerThereHasLeft() {
        let limit = ConnectionLimit(limit: 1, timeout: .seconds(1))
        do {
            let held = limit.enter(.probe) {}
            let waiting = limit.enter(.probe) {}
            #expect(held.isAdmitted && !waiting.isAdmitted)
            #expect(limit.counts == (1, 1))
        }
        #expect(limit.counts == (0, 0))
    }

    @Test("A task that finds no connection in time is told and leaves the queue")
    func aTaskThatFindsNoConnectionInTimeIsToldAndLeavesTheQueue() async throws {
        let limit = ConnectionLimit(limit: 1, timeout: .milliseconds(20))
        let held = try await limit.place(for: .probe, within: .seconds(60))
        let failure = await #expect(throws: AttemptFailure.self) { try await limit.place(for: .probe, within: .seconds(60)) }
        #expect(failure?.reason == .busy && failure?.failureClass == .throttled)
        #expect(limit.counts == (1, 0))
        held.leave()
        #expect(limit.counts == (0, 0))
    }

    @Test("A task gets the connection that another gives back", .timeLimit(.minutes(5)))
    func aTaskGetsTheConnectionThatAnotherGivesBack() async throws {
        let limit = ConnectionLimit(limit: 1, timeout: .seconds(600))
        let held = try await limit.place(for: .probe, within: .seconds(600))
        async let next = limit.place(for: .probe, within: .seconds(600))
        try await eventually("a wait for the connection") { limit.counts.waiting > 0 }
        held.leave()
        try await next.leave()
        #expect(limit.counts == (0, 0))
    }
}
