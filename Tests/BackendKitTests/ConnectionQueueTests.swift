import Synchronization
import Testing
import Waiting

@testable import BackendKit

@Suite struct ConnectionQueueTests {
    private typealias Step = ConnectionQueue.Step

    private func download(_ caller: String, _ image: String = "i") -> QueueKey { .download(by: caller, of: image) }

    /// Admits the waiting tickets to the one permit in turn, and returns their numbers in that order.
    private func order(_ queue: inout ConnectionQueue, holder: ConnectionQueue.Ticket) -> [UInt64] {
        var order: [UInt64] = []
        var holder = holder
        while case .admit(let next) = queue.leave(holder).first {
            order.append(next.number)
            holder = next
        }
        return order
    }

    @Test("The queue admits tickets up to its limit, and the next one when a permit is given back")
    func theQueueAdmitsUpToItsLimit() {
        var queue = ConnectionQueue(limit: 2)
        let first = queue.enter(download("a"))
        let second = queue.enter(download("a"))
        let third = queue.enter(download("a"))
        #expect(first.steps == [.admit(first.ticket)] && second.steps == [.admit(second.ticket)] && third.steps.isEmpty)
        #expect(queue.leave(second.ticket) == [.admit(third.ticket)])
        #expect(queue.leave(second.ticket).isEmpty, "a ticket that left twice admitted two")
        #expect(queue.leave(first.ticket).isEmpty && queue.leave(third.ticket).isEmpty)
        #expect(queue.heldCount == 0 && queue.waitingCount == 0)
    }

    @Test("Waiting callers are admitted in the order they came")
    func waitingCallersAreAdmittedInOrder() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("x")).ticket
        for caller in ["c", "a", "b"] { _ = queue.enter(download(caller)) }
        #expect(order(&queue, holder: holder) == [1, 2, 3])
    }

    @Test("A caller with a thousand waiting ranges delays another caller by one range at most")
    func aGreedyCallerDelaysOthersByOneRange() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("greedy")).ticket
        for _ in 0..<1000 { _ = queue.enter(download("greedy")) }
        let other = queue.enter(download("other")).ticket
        let third = queue.enter(download("third")).ticket
        let order = order(&queue, holder: holder)
        #expect(order.prefix(3) == [1, other.number, third.number])
        #expect(order.count == 1002)
        #expect(order.filter { $0 <= 1000 } == Array(1...1000), "the order within one image of a caller changed")
    }

    @Test("An image with many waiting ranges does not delay its caller's other images")
    func manyRangesDoNotDelayTheCallersOtherImages() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("fleet", "big")).ticket
        for _ in 0..<100 { _ = queue.enter(download("fleet", "big")) }
        let small = queue.enter(download("fleet", "small")).ticket
        #expect(order(&queue, holder: holder)[1] == small.number)
    }

    @Test("Many images of one caller share one turn among callers")
    func manyImagesOfOneCallerShareOneTurn() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("x")).ticket
        for image in 0..<100 { _ = queue.enter(download("greedy", "\(image)")) }
        let other = queue.enter(download("other")).ticket
        #expect(order(&queue, holder: holder)[1] == other.number)
    }

    @Test("A ticket that stops waiting is skipped")
    func aTicketThatStopsWaitingIsSkipped() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("a")).ticket
        let tickets = ["b", "b", "c"].map { queue.enter(download($0)).ticket }
        #expect(queue.leave(tickets[0]).isEmpty && queue.leave(tickets[2]).isEmpty)
        #expect(queue.waitingCount == 1)
        #expect(order(&queue, holder: holder) == [tickets[1].number])
        #expect(queue.heldCount == 0 && queue.waitingCount == 0)
    }

    @Test("Downloads are admitted before background reads")
    func downloadsAreAdmittedBeforeBackgroundReads() {
        var queue = ConnectionQueue(limit: 1)
        let holder = queue.enter(download("a")).ticket
        let read = queue.enter(.maintenance(of: "i")).ticket
        let late = queue.enter(download("b")).ticket
        #expect(order(&queue, holder: holder) == [late.number, read.number])
    }

    @Test("A waiting download makes one background read yield")
    func aWaitingDownloadMakesOneBackgroundReadYield() {
        var queue = ConnectionQueue(limit: 3)
        let reads = (0..<2).map { _ in queue.enter(.maintenance(of: "i")).ticket }
        _ = queue.enter(download("a"))
        let first = queue.enter(download("b"))
        #expect(first.steps == [.yield(reads[1])])
        #expect(queue.enter(.maintenance(of: "j")).steps.isEmpty, "a background read made another one yield")
        let second = queue.enter(download("c"))
        #expect(second.steps == [.yield(reads[0])], "the same read was asked twice")
        #expect(queue.enter(download("d")).steps.isEmpty)
        #expect(queue.leave(reads[0]) == [.admit(first.ticket)])
        #expect(queue.leave(reads[1]) == [.admit(second.ticket)])
    }

    /// Tickets come and go at random: never more than the limit, never a free permit while one waits, and none is left over.
    @Test("Under any sequence of steps the limit holds and no permit leaks", arguments: 0..<50)
    func underAnySequenceTheLimitHolds(seed: UInt64) {
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
    @Test("A permit that goes out of scope leaves the queue")
    func aPermitThatGoesOutOfScopeLeavesTheQueue() {
        let limit = ConnectionLimit(limit: 1, timeout: .seconds(1))
        do {
            let held = limit.enter(.probe) {}
            let waiting = limit.enter(.probe) {}
            #expect(held.isAdmitted && !waiting.isAdmitted)
            #expect(limit.counts == (1, 1))
        }
        #expect(limit.counts == (0, 0))
    }

    @Test("A connection that is given back goes to the one that waits", .timeLimit(.minutes(5)))
    func aConnectionThatIsGivenBackGoesToTheOneThatWaits() async throws {
        let limit = ConnectionLimit(limit: 1, timeout: .seconds(600))
        let held = limit.enter(.probe) {}.permit
        let (admissions, admission) = AsyncStream.makeStream(of: Void.self)
        let waiting = limit.enter(.probe) { admission.yield() }
        #expect(!waiting.isAdmitted && limit.counts == (1, 1))
        held.leave()
        try await first(of: admissions, "the connection")
        #expect(limit.counts == (1, 0))
        waiting.permit.leave()
        #expect(limit.counts == (0, 0))
    }
}

/// A background read yields its permit each time a download waits, not only the first time.
@Suite(.timeLimit(.minutes(1)))
struct RepeatedYieldTests {
    @Test("A background read that yielded once is asked again the next time a download waits", arguments: [1, 2, 3])
    func aReadThatYieldsAgainAndAgain(reads: Int) {
        let limit = ConnectionLimit(limit: reads, timeout: .seconds(60))
        let asked = Atomic(0)
        var permits: [ConnectionPermit] = []
        func read() {
            let (permit, isAdmitted) = limit.enter(
                .maintenance(of: "image"), yield: { asked.add(1, ordering: .relaxed) }, admitted: {})
            #expect(isAdmitted)
            permits.append(permit)
        }
        for _ in 0..<reads { read() }
        for round in 1...5 {
            let isAdmitted = Atomic(false)
            let (download, isAtOnce) = limit.enter(
                .download(by: "somebody", of: "image"), admitted: { isAdmitted.store(true, ordering: .relaxed) })
            #expect(!isAtOnce)
            let askedSoFar = asked.load(ordering: .relaxed)
            #expect(askedSoFar == round, "one read is asked for each download that waits")
            // The read that was asked leaves, and comes back when the download is over.
            permits.removeLast().leave()
            let isThere = isAdmitted.load(ordering: .relaxed)
            #expect(isThere)
            download.leave()
            read()
        }
        for permit in permits { permit.leave() }
        #expect(limit.counts == (0, 0))
    }
}
