import ImageModel
import LocationSelection
import Testing

@Suite struct BreakerTests {
    private let start = ContinuousClock.now
    private var random = SplitMix64(seed: 3)

    private mutating func opened() -> Breaker {
        var breaker = Breaker()
        for _ in 0..<5 { breaker.recordFailure(at: start, using: &random) }
        return breaker
    }

    @Test("Five failures in a row open the breaker, and a success in between resets the count")
    mutating func fiveFailuresInARowOpenTheBreaker() {
        var breaker = Breaker()
        for _ in 0..<4 { breaker.recordFailure(at: start, using: &random) }
        #expect(breaker.state == .closed && breaker.failures == 4)
        breaker.recordSuccess()
        for _ in 0..<4 { breaker.recordFailure(at: start, using: &random) }
        #expect(breaker.state == .closed)
        breaker.recordFailure(at: start, using: &random)
        #expect(breaker.state == .open)
    }

    @Test("Each probe that fails keeps the breaker open longer, up to a limit")
    mutating func eachFailedProbeKeepsTheBreakerOpenLonger() throws {
        var breaker = opened()
        var now = start
        for times in 1...14 {
            let due = try #require(breaker.probeDueAt)
            let bound = min(.seconds(300), .seconds(30) * times)
            #expect(due - now >= bound * 0.8 && due - now < bound)
            let tooEarly = breaker.beginProbe(at: due - .milliseconds(1))
            #expect(!tooEarly)
            let begins = breaker.beginProbe(at: due)
            #expect(begins && breaker.state == .halfOpen)
            now = due
            breaker.recordFailure(at: now, using: &random)
            #expect(breaker.state == .open)
        }
    }

    @Test("One probe runs at a time, and a probe that never ends is replaced")
    mutating func oneProbeRunsAtATime() throws {
        var breaker = opened()
        let due = try #require(breaker.probeDueAt)
        let probes = [
            breaker.beginProbe(at: due), breaker.beginProbe(at: due + .seconds(59)), breaker.beginProbe(at: due + .seconds(60)),
        ]
        #expect(probes == [true, false, true])
        breaker.recordSuccess()
        #expect(breaker.state == .closed && breaker.failures == 0)
    }

    @Test("A failure while the breaker is open does not keep it open longer")
    mutating func aFailureWhileOpenDoesNotProlongIt() {
        var breaker = opened()
        let due = breaker.probeDueAt
        breaker.recordFailure(at: start + .seconds(1), using: &random)
        breaker.trip(at: start + .seconds(1), using: &random)
        #expect(breaker.probeDueAt == due)
    }

    @Test("A breaker that was opened for wrong content is closed only by a probe")
    mutating func aTrippedBreakerIsClosedOnlyByAProbe() {
        var breaker = Breaker()
        breaker.trip(at: start, using: &random)
        breaker.recordSuccess()
        #expect(breaker.state == .open)
        let begins = breaker.beginProbe(at: start + .seconds(30))
        #expect(begins)
        breaker.recordProbeSuccess()
        breaker.recordFailure(at: start, using: &random)
        breaker.recordSuccess()
        #expect(breaker.state == .closed && breaker.failures == 0)
    }

    @Test("A breaker that trips during a probe is not closed by that probe")
    mutating func aBreakerTrippedDuringAProbeStaysOpen() throws {
        var breaker = opened()
        let due = try #require(breaker.probeDueAt)
        let begins = breaker.beginProbe(at: due)
        #expect(begins)
        breaker.trip(at: due + .seconds(1), using: &random)
        breaker.recordProbeSuccess()
        breaker.recordSuccess()
        #expect(breaker.state == .open)
    }

    @Test("A probe reads the location that failed last")
    func aProbeReadsTheLocationThatFailedLast() throws {
        var health = Health(penalty: .seconds(30), seed: 1)
        let backend = BackendID("a")
        let (first, last) = (LocationID(), LocationID())
        for location in [first, first, first, first, last] {
            health.recordFailure(of: location, in: backend, .backend, at: start)
        }
        #expect(health.beginProbes(at: start).isEmpty)
        let due = try #require(health[backend].breaker.probeDueAt)
        let probes = health.beginProbes(at: due)
        #expect(probes.map(\.location) == [last])
        health.endProbe(of: backend, worked: false, at: due)
        #expect(health[backend].breaker.state == .open)
        health.endProbe(of: backend, worked: true, at: due)
        #expect(health[backend].breaker.state == .open, "the answer of an earlier probe closed the breaker")
        let next = try #require(health[backend].breaker.probeDueAt)
        #expect(health.beginProbes(at: next).map(\.location) == [last])
        health.endProbe(of: backend, worked: true, at: next)
        #expect(health[backend].breaker.state == .closed)
    }

    @Test("A location's own failure opens no breaker, and a cancelled attempt closes none")
    func aLocationsOwnFailureOpensNoBreaker() {
        var health = Health(penalty: .seconds(30), seed: 1)
        let backend = BackendID("a")
        for _ in 0..<9 { health.recordFailure(of: LocationID(), in: backend, .location, at: start) }
        #expect(health[backend].breaker.failures == 0)
        health.recordFailure(of: LocationID(), in: backend, .backend, at: start)
        health.attemptRequested(in: backend)
        let cancelled = AttemptMeasure(isComplete: false, firstByte: .milliseconds(1), bytes: 9, active: .zero)
        health.attemptEnded(in: backend, cancelled, at: start)
        #expect(health[backend].breaker.failures == 1)
        #expect(health[backend].running == 0)
    }
}

@Suite struct MovingAverageTests {
    private let start = ContinuousClock.now

    @Test("Newer samples weigh more the longer ago the last one was")
    func newerSamplesWeighMoreAfterALongPause() throws {
        var average = MovingAverage(.plain, memory: .seconds(10))
        average.record(100, at: start)
        average.record(200, at: start + .seconds(10))
        #expect(average.value == 150)
        average.record(50, at: start + .seconds(1000))
        #expect(try #require(average.value) < 52)
    }

    @Test("A peak is taken at once and decays slowly")
    func aPeakIsTakenAtOnceAndDecaysSlowly() throws {
        var average = MovingAverage(.peak, memory: .seconds(10))
        average.record(1, at: start)
        average.record(9, at: start)
        #expect(average.value == 9)
        average.record(1, at: start)
        #expect(try #require(average.value) > 8.5)
    }
}

@Suite struct BackendHealthTests {
    private let start = ContinuousClock.now

    @Test("A shorter wait that is requested later does not end a longer one")
    func waits() {
        var health = BackendHealth()
        health.rest(for: .seconds(60), at: start)
        health.rest(for: .seconds(1), at: start + .seconds(1))
        #expect(health.rests(at: start + .seconds(59)))
        #expect(!health.rests(at: start + .seconds(60)))
        health.rest(for: .seconds(90), at: start + .seconds(2))
        #expect(health.rests(at: start + .seconds(91)) && !health.rests(at: start + .seconds(92)))
    }

    @Test("A read that is too short does not count towards the throughput", arguments: [262_143, 262_144] as [Int64])
    func shortReads(bytes: Int64) {
        var health = BackendHealth()
        health.attemptEnded(
            AttemptMeasure(isComplete: true, firstByte: .milliseconds(1), bytes: bytes, active: .seconds(1)), at: start)
        #expect(health.throughput.value == (bytes < 262_144 ? nil : 262_144))
        #expect(health.firstByte.value == 0.001)
    }
}
