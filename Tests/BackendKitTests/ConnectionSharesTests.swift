import Testing

@testable import BackendKit

/// Who gives a connection back when a download waits.
@Suite struct ConnectionSharesTests {
    private func download(_ caller: String, _ image: String = "i") -> QueueKey { .download(by: caller, of: image) }

    private func full(_ callers: String...) -> (queue: ConnectionQueue, tickets: [ConnectionQueue.Ticket]) {
        var queue = ConnectionQueue(limit: callers.count)
        let tickets = callers.map { queue.enter(download($0)).ticket }
        return (queue, tickets)
    }

    @Test("An idle download gives its connection to whoever waits, one for each, the one that has it longest first")
    func idleDownloadsYield() {
        var (queue, held) = full("a", "b", "c")
        #expect(queue.offer(held[2], .idle).isEmpty && queue.offer(held[1], .idle).isEmpty, "nobody waits")
        let first = queue.enter(download("a"))
        #expect(first.steps == [.yield(held[1])])
        #expect(queue.enter(download("a")).steps == [.yield(held[2])])
        #expect(queue.enter(download("a")).steps.isEmpty)
        #expect(queue.leave(held[1]) == [.admit(first.ticket)])
    }

    @Test("A download that falls asleep while another waits is asked for its connection")
    func lateOfferIsTaken() {
        var (queue, held) = full("a")
        let waiting = queue.enter(download("a"))
        #expect(waiting.steps.isEmpty)
        #expect(queue.offer(held[0], .idle) == [.yield(held[0])])
        #expect(queue.offer(held[0], .idle).isEmpty, "asked twice")
    }

    @Test("A read in the background gives way before an idle download")
    func backgroundGoesFirst() {
        var queue = ConnectionQueue(limit: 2)
        let idle = queue.enter(download("a")).ticket
        let read = queue.enter(.maintenance(of: "i")).ticket
        _ = queue.offer(idle, .idle)
        #expect(queue.enter(download("b")).steps == [.yield(read)])
    }

    @Test("A caller with all connections gives one to each caller who has none, and keeps one")
    func oneCallerCannotHoldThemAll() {
        var (queue, held) = full("greedy", "greedy", "greedy")
        for _ in 0..<10 { #expect(queue.enter(download("greedy")).steps.isEmpty) }
        let first = queue.enter(download("first"))
        #expect(first.steps == [.yield(held[2])])
        #expect(queue.enter(download("first")).steps.isEmpty, "one caller, one claim")
        let second = queue.enter(download("second"))
        #expect(second.steps == [.yield(held[1])])
        #expect(queue.enter(download("third")).steps.isEmpty, "the last one was taken, too")
        #expect(queue.leave(held[2]) == [.admit(first.ticket)], "the greedy one's next came first")
        #expect(queue.leave(held[1]) == [.admit(second.ticket)])
    }

    @Test("A connection that is free goes to the caller with the fewest")
    func fewestFirst() {
        var (queue, held) = full("a", "a", "b")
        for _ in 0..<3 { _ = queue.enter(download("a")) }
        let next = queue.enter(download("b"))
        #expect(queue.leave(held[2]) == [.admit(next.ticket)])
    }

    @Test("An interrupted download gets the connection of one that has had its turn, of the same caller or one with more")
    func turnsAmongDownloads() {
        var (queue, held) = full("a", "a", "b")
        let resumed = queue.enter(download("a").resumed())
        #expect(resumed.steps.isEmpty, "nobody has had a turn")
        #expect(queue.offer(held[2], .turn).isEmpty, "b has less than a")
        #expect(queue.offer(held[0], .turn) == [.yield(held[0])])
        #expect(queue.offer(held[1], .turn).isEmpty, "one was asked already")
        #expect(queue.leave(held[0]) == [.admit(resumed.ticket)])
        #expect(queue.enter(download("a")).steps.isEmpty, "a download that has not begun interrupts nobody")
    }

    @Test("Where there are more callers than connections they take turns")
    func callersTakeTurns() {
        var (queue, held) = full("a")
        let other = queue.enter(download("b"))
        #expect(other.steps.isEmpty)
        #expect(queue.offer(held[0], .turn) == [.yield(held[0])])
        #expect(queue.leave(held[0]) == [.admit(other.ticket)])
        #expect(queue.enter(download("a").resumed()).steps.isEmpty)
        #expect(queue.offer(other.ticket, .turn) == [.yield(other.ticket)])
    }

    @Test("When one insists on its connection another is asked, and it is not asked again")
    func theNextOneIsAsked() {
        var (queue, held) = full("a", "a", "a")
        let other = queue.enter(download("b"))
        #expect(other.steps == [.yield(held[2])])
        #expect(queue.insist(held[2]) == [.yield(held[1])])
        #expect(queue.insist(held[2]).isEmpty && queue.insist(held[1]) == [.yield(held[0])])
        #expect(queue.insist(held[0]).isEmpty)
        #expect(queue.leave(held[1]) == [.admit(other.ticket)])
    }

    @Test("A question of Baton's own keeps its connection")
    func probesKeepTheirs() {
        var queue = ConnectionQueue(limit: 2)
        for _ in 0..<2 { _ = queue.enter(.probe) }
        #expect(queue.enter(download("a")).steps.isEmpty)
    }

    @Test("A yield that is over leaves nothing behind: the next claim finds the next connection")
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
