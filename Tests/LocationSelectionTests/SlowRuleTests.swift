import ImageModel
import LocationSelection
import Testing

/// When a location that brings bytes is slow enough to be left.
@Suite struct SlowRuleTests {
    private let rule = SlowRule()
    private let plenty: Int64 = 1 << 40

    private func verdict(at rate: Double, remaining: Int64? = nil, _ prospects: Prospect..., rule: SlowRule? = nil)
        -> SlowRule.Verdict
    {
        (rule ?? self.rule).verdict(
            at: rate, remaining: remaining ?? plenty,
            alternatives: prospects.enumerated().map { .init(candidate: $0 + 1, prospect: $1) })
    }

    @Test func oneThatIsClearlyFasterIsTakenAtTheNextEdge() {
        #expect(verdict(at: 1e6, .rate(3e6)) == .moveAtEdge(to: 1))
        #expect(verdict(at: 1e6, .rate(2.9e6)) == .stay)
        #expect(
            verdict(at: 1e6, .rate(4e6), .rate(9e6), .rate(9e6)) == .moveAtEdge(to: 2), "the fastest, the better ranked first")
    }

    @Test func oneThatNobodyHasMeasuredIsNotClearlyFaster() {
        #expect(verdict(at: 1e6, .unknown) == .stay)
        #expect(verdict(at: 1e6, .avoided) == .stay)
        #expect(verdict(at: 1e6) == .stay)
    }

    @Test func belowTheFloorAnUnmeasuredOneIsTakenAtOnce() {
        #expect(verdict(at: 65_535, .unknown) == .moveNow(to: 1))
        #expect(verdict(at: 65_536, .unknown) == .stay)
        #expect(verdict(at: 10, .avoided) == .stay)
        #expect(verdict(at: 10, .rate(40), .unknown) == .moveNow(to: 2), "what is known to crawl as well is worth less")
        #expect(verdict(at: 10, .unknown, .rate(1e6)) == .moveNow(to: 2))
    }

    @Test func aWorseTierIsForWhatAllButStandsStill() {
        func verdict(_ rate: Double) -> SlowRule.Verdict {
            rule.verdict(
                at: rate, remaining: plenty,
                alternatives: [.init(candidate: 1, prospect: .rate(1e9), isOfWorseTier: true)])
        }
        #expect(verdict(1e6) == .stay)
        #expect(verdict(1e3) == .moveNow(to: 1))
    }

    @Test func whatIsDoneSoonIsNotMoved() {
        #expect(verdict(at: 1e6, remaining: 2_000_000, .rate(1e9)) == .stay)
        #expect(verdict(at: 1e6, remaining: 2_000_001, .rate(1e9)) == .moveAtEdge(to: 1))
    }

    @Test func factorZeroNeverMoves() {
        var rule = SlowRule()
        rule.factor = 0
        #expect(verdict(at: 1, .rate(1e9), .unknown, rule: rule) == .stay)
    }

    @Test func whatADownloadMeasuredItselfCountsForMoreForAWhile() {
        let now = ContinuousClock.now
        let measured = MeasuredPace(rate: 5, at: now)
        for prospect in [Prospect.rate(1e9), .unknown] {
            #expect(measured.applied(to: prospect, at: now + .seconds(299)) == .rate(5))
            #expect(measured.applied(to: prospect, at: now + .seconds(300)) == prospect)
        }
        #expect(measured.applied(to: .avoided, at: now) == .avoided)
    }
}

/// How fast bytes come.
@Suite struct PaceTests {
    private let start = ContinuousClock.now

    @Test func aWindowIsOverAfterSoMuchActiveTime() {
        var pace = Pace(window: .seconds(2))
        #expect(pace.observe(0, isActive: true, at: start) == nil)
        #expect(pace.observe(100, isActive: true, at: start + .seconds(1)) == nil)
        #expect(pace.observe(300, isActive: true, at: start + .seconds(2)) == 200)
        #expect(pace.observe(10, isActive: true, at: start + .seconds(3)) == nil, "the next window starts empty")
        #expect(pace.observe(10, isActive: true, at: start + .seconds(4)) == 10)
    }

    @Test func timeInWhichTheClientDoesNotReadDoesNotCount() {
        var pace = Pace(window: .seconds(2))
        _ = pace.observe(100, isActive: true, at: start)
        _ = pace.observe(100, isActive: false, at: start + .seconds(1))
        _ = pace.observe(0, isActive: true, at: start + .seconds(61))
        #expect(pace.observe(100, isActive: true, at: start + .seconds(61.5)) == nil)
        #expect(pace.observe(100, isActive: true, at: start + .seconds(62)) == 200)
    }

    @Test func silenceEndsNoWindow() {
        var pace = Pace(window: .seconds(2))
        _ = pace.observe(8, isActive: true, at: start)
        #expect(pace.observe(0, isActive: true, at: start + .seconds(60)) == nil)
        #expect(pace.observe(8, isActive: true, at: start + .seconds(64)) == 0.25)
    }
}

/// What can be expected of a location.
@Suite struct ProspectTests {
    private let now = ContinuousClock.now
    private let location = LocationID()
    private let backend = BackendID("a")

    private func measured(_ rate: Double) -> Health {
        var health = Health(penalty: .seconds(30), seed: 1)
        health.paceSeen(rate, in: backend, at: now)
        return health
    }

    @Test func itIsTheThroughputSharedWithAllThatRuns() {
        var health = Health(penalty: .seconds(30), seed: 1)
        #expect(health.prospect(of: location, in: backend, at: now) == .unknown)
        health = measured(600)
        #expect(health.prospect(of: location, in: backend, at: now) == .rate(600))
        health.attemptBegan(in: backend)
        health.attemptBegan(in: backend)
        #expect(health.prospect(of: location, in: backend, at: now) == .rate(200))
    }

    @Test func whatFailedLatelyRestsOrHasAnOpenBreakerIsAvoided() {
        var failed = measured(600)
        failed.recordFailure(of: location, in: backend, .location, at: now)
        var resting = measured(600)
        resting.recordFailure(of: LocationID(), in: backend, .throttled(.seconds(5)), at: now)
        var open = measured(600)
        open.trip(backend, for: LocationID(), at: now)
        for health in [failed, resting, open] {
            #expect(health.prospect(of: location, in: backend, at: now) == .avoided)
        }
        #expect(failed.prospect(of: LocationID(), in: backend, at: now) == .rate(600), "another object there")
        #expect(resting.prospect(of: location, in: backend, at: now + .seconds(6)) == .rate(600))
    }
}
