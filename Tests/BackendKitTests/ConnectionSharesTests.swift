import Testing

@testable import BackendKit

/// Which permit is given back when a download waits.
@Suite struct ConnectionSharesTests {
    private func download(_ caller: String, _ image: String = "i") -> QueueKey { .download(by: caller, of: image) }

    private func full(_ callers: String...) -> (queue: ConnectionQueue, tickets: [ConnectionQueue.Ticket]) {
        var queue = ConnectionQueue(limit: callers.count)
        let tickets = callers.map { queue.enter(download($0)).ticket }
        return (queue, tickets)
    }

    @Test("Idle downloads yield, one for each waiting download, the one that holds its permit longest first")
    func idleDownloadsYield() {
        var (queue, held) = full("a", "b", "c")
        #expect(queue.offer(held[2], .idle).isEmpty && queue.offer(held[1], .idle).isEmpty, "no download waits")
        let first = queue.enter(download("a"))
        #expect(first.steps == [.yield(held[1])])
        #expect(queue.enter(download("a")).steps == [.yield(held[2])])
        #expect(queue.enter(download("a")).steps.isEmpty)
        #expect(queue.leave(held[1]) == [.admit(first.ticket)])
    }

    @Test("A download that becomes idle while another one waits is asked to yield")
    func lateOfferIsTaken() {
        var (queue, held) = full("a")
        let waiting = queue.enter(download("a"))
        #expect(waiting.steps.isEmpty)
        #expect(queue.offer(held[0], .idle) == [.yield(held[0])])
        #expect(queue.offer(held[0], .idle).isEmpty, "asked twice")
    }

    @Test("A background read yields before an idle download")
    func backgroundGoesFirst() {
        var queue = ConnectionQueue(limit: 2)
        let idle = queue.enter(download("a")).ticket
        let read = queue.enter(.maintenance(of: "i")).ticket
        _ = queue.offer(idle, .idle)
        #expect(queue.enter(download("b")).steps == [.yield(read)])
    }

    @Test("A caller with all permits gives one to each caller that has none, and keeps one")
    func oneCallerCannotHoldThemAll() {
        var (queue, held) = full("greedy", "greedy", "greedy")
        for _ in 0..<10 { #expect(queue.enter(download("greedy")).steps.isEmpty) }
        let first = queue.enter(download("first"))
        #expect(first.steps == [.yield(held[2])])
        #expect(queue.enter(download("first")).steps.isEmpty, "one caller, one claim")
        let second = queue.enter(download("second"))
        #expect(second.steps == [.yield(held[1])])
        #expect(queue.enter(download("third")).steps.isEmpty, "a caller's last permit was taken")
        #expect(queue.leave(held[2]) == [.admit(first.ticket)], "the greedy caller was admitted first")
        #expect(queue.leave(held[1]) == [.admit(second.ticket)])
    }

    @Test("A free permit goes to the caller with the fewest permits")
    func fewestFirst() {
        var (queue, held) = full("a", "a", "b")
        for _ in 0..<3 { _ = queue.enter(download("a")) }
        let next = queue.enter(download("b"))
        #expect(queue.leave(held[2]) == [.admit(next.ticket)])
    }

    @Test("An interrupted download gets a permit whose turn is over, from its own caller or one with more permits")
    func turnsAmongDownloads() {
        var (queue, held) = full("a", "a", "b")
        let resumed = queue.enter(download("a").resumed())
        #expect(resumed.steps.isEmpty, "no download has had a turn")
        #expect(queue.offer(held[2], .turn).isEmpty, "b has less than a")
        #expect(queue.offer(held[0], .turn) == [.yield(held[0])])
        #expect(queue.offer(held[1], .turn).isEmpty, "one was asked already")
        #expect(queue.leave(held[0]) == [.admit(resumed.ticket)])
        #expect(queue.enter(download("a")).steps.isEmpty, "a download that has not begun interrupts no other one")
    }

    @Test("Callers take turns where there are more callers than permits")
    func callersTakeTurns() {
        var (queue, held) = full("a")
        let other = queue.enter(download("b"))
        #expect(other.steps.isEmpty)
        #expect(queue.offer(held[0], .turn) == [.yield(held[0])])
        #expect(queue.leave(held[0]) == [.admit(other.ticket)])
        #expect(queue.enter(download("a").resumed()).steps.isEmpty)
        #expect(queue.offer(other.ticket, .turn) == [.yield(other.ticket)])
    }

    @Test("When a download insists on its permit, another one is asked, and the first is not asked again")
    func theNextOneIsAsked() {
        var (queue, held) = full("a", "a", "a")
        let other = queue.enter(download("b"))
        #expect(other.steps == [.yield(held[2])])
        #expect(queue.insist(held[2]) == [.yield(held[1])])
        #expect(queue.insist(held[2]).isEmpty && queue.insist(held[1]) == [.yield(held[0])])
        #expect(queue.insist(held[0]).isEmpty)
        #expect(queue.leave(held[1]) == [.admit(other.ticket)])
    }

    @Test("A probe keeps its permit")
    func probesKeepTheirs() {
        var queue = ConnectionQueue(limit: 2)
        for _ in 0..<2 { _ = queue.enter(.probe) }
        #expect(queue.enter(download("a")).steps.isEmpty)
    }

    @Test("After a yield ends, the next claim finds the next permit")
    func yieldsAreCounted() {
        var (queue, held) = full("a", "a")
        for round in 0..<20 {
            let other = queue.enter(download("b\(round)"))
            #expect(other.steps == [.yield(held[1])], "round \(round)")
            #expect(queue.leave(held[1]) == [.admit(other.ticket)])
            held[1] = queue.enter(download("a")).ticket
            #expect(queue.leave(other.ticket) == [.admit(held[1])])
        }
    }
}
