import ImageModel
import LocationSelection
import Testing

/// When a location is so slow that a download leaves it.
@Suite struct SlowLocationRuleTests {
    private let rule = SlowLocationRule()
    private let plenty: Int64 = 1 << 40

    private func decision(
        at rate: Double, remaining: Int64? = nil, _ estimates: ThroughputEstimate..., rule: SlowLocationRule? = nil
    )
        -> SlowLocationRule.Decision
    {
        (rule ?? self.rule).decision(
            at: rate, remaining: remaining ?? plenty,
            alternatives: estimates.enumerated().map { .init(candidate: $0 + 1, estimate: $1) })
    }

    @Test("A clearly faster location is taken at the next chunk edge")
    func aClearlyFasterLocationIsTakenAtTheNextEdge() {
        #expect(decision(at: 1e6, .rate(3e6)) == .failOverAtBoundary(to: 1))
        #expect(decision(at: 1e6, .rate(2.9e6)) == .stay)
        #expect(
            decision(at: 1e6, .rate(4e6), .rate(9e6), .rate(9e6)) == .failOverAtBoundary(to: 2),
            "the fastest, the better ranked first")
    }

    @Test("A location without a measured throughput is not clearly faster")
    func anUnmeasuredLocationIsNotClearlyFaster() {
        #expect(decision(at: 1e6, .unknown) == .stay)
        #expect(decision(at: 1e6, .avoided) == .stay)
        #expect(decision(at: 1e6) == .stay)
    }

    @Test("Below the minimum rate an unmeasured location is taken at once")
    func belowTheMinimumAnUnmeasuredLocationIsTakenAtOnce() {
        #expect(decision(at: 65_535, .unknown) == .failOverNow(to: 1))
        #expect(decision(at: 65_536, .unknown) == .stay)
        #expect(decision(at: 10, .avoided) == .stay)
        #expect(
            decision(at: 10, .rate(40), .unknown) == .failOverNow(to: 2),
            "a location known to be slow is worth less than an unmeasured one")
        #expect(decision(at: 10, .unknown, .rate(1e6)) == .failOverNow(to: 2))
    }

    @Test("A worse tier is used only when the current location almost stands still")
    func aWorseTierIsUsedOnlyAtAVeryLowRate() {
        func decision(_ rate: Double) -> SlowLocationRule.Decision {
            rule.decision(
                at: rate, remaining: plenty,
                alternatives: [.init(candidate: 1, estimate: .rate(1e9), isOfWorseTier: true)])
        }
        #expect(decision(1e6) == .stay)
        #expect(decision(1e3) == .failOverNow(to: 1))
    }

    @Test("A download that is almost done is not moved")
    func aDownloadThatIsAlmostDoneIsNotMoved() {
        #expect(decision(at: 1e6, remaining: 2_000_000, .rate(1e9)) == .stay)
        #expect(decision(at: 1e6, remaining: 2_000_001, .rate(1e9)) == .failOverAtBoundary(to: 1))
    }

    @Test("A factor of zero never moves a download")
    func aFactorOfZeroNeverMovesADownload() {
        var rule = SlowLocationRule()
        rule.factor = 0
        #expect(decision(at: 1, .rate(1e9), .unknown, rule: rule) == .stay)
    }

    @Test("A download's own measurement replaces the estimate for five minutes")
    func aDownloadsOwnMeasurementReplacesTheEstimate() {
        let now = ContinuousClock.now
        let measured = MeasuredThroughput(rate: 5, at: now)
        for estimate in [ThroughputEstimate.rate(1e9), .unknown] {
            #expect(measured.applied(to: estimate, at: now + .seconds(299)) == .rate(5))
            #expect(measured.applied(to: estimate, at: now + .seconds(300)) == estimate)
        }
        #expect(measured.applied(to: .avoided, at: now) == .avoided)
    }
}

/// The throughput of a read, measured by windows.
@Suite struct PaceTests {
    private let start = ContinuousClock.now

    @Test("A window ends after its active time")
    func aWindowEndsAfterItsActiveTime() {
        var pace = ThroughputWindow(window: .seconds(2))
        #expect(pace.observe(0, isActive: true, at: start) == nil)
        #expect(pace.observe(100, isActive: true, at: start + .seconds(1)) == nil)
        #expect(pace.observe(300, isActive: true, at: start + .seconds(2)) == 200)
        #expect(pace.observe(10, isActive: true, at: start + .seconds(3)) == nil, "the next window starts empty")
        #expect(pace.observe(10, isActive: true, at: start + .seconds(4)) == 10)
    }

    @Test("Time in which the client does not read does not count")
    func timeInWhichTheClientDoesNotReadDoesNotCount() {
        var pace = ThroughputWindow(window: .seconds(2))
        _ = pace.observe(100, isActive: true, at: start)
        _ = pace.observe(100, isActive: false, at: start + .seconds(1))
        _ = pace.observe(0, isActive: true, at: start + .seconds(61))
        #expect(pace.observe(100, isActive: true, at: start + .seconds(61.5)) == nil)
        #expect(pace.observe(100, isActive: true, at: start + .seconds(62)) == 200)
    }

    @Test("A silent read ends no window")
    func silenceEndsNoWindow() {
        var pace = ThroughputWindow(window: .seconds(2))
        _ = pace.observe(8, isActive: true, at: start)
        #expect(pace.observe(0, isActive: true, at: start + .seconds(60)) == nil)
        #expect(pace.observe(8, isActive: true, at: start + .seconds(64)) == 0.25)
    }
}

/// The throughput that can be expected of a location.
@Suite struct EstimateTests {
    private let now = ContinuousClock.now
    private let location = LocationID()
    private let backend = BackendID("a")

    private func measured(_ rate: Double) -> Health {
        var health = Health(penalty: .seconds(30), seed: 1)
        health.recordThroughput(rate, in: backend, at: now)
        return health
    }

    @Test("The estimate is the throughput shared by all running attempts")
    func theEstimateIsSharedByAllRunningAttempts() {
        var health = Health(penalty: .seconds(30), seed: 1)
        #expect(health.estimate(of: location, in: backend, at: now) == .unknown)
        health = measured(600)
        #expect(health.estimate(of: location, in: backend, at: now) == .rate(600))
        health.attemptRequested(in: backend)
        health.attemptRequested(in: backend)
        #expect(health.estimate(of: location, in: backend, at: now) == .rate(200))
    }

    @Test("A location that failed lately, rests or has an open breaker is avoided")
    func aFailedOrRestingLocationIsAvoided() {
        var failed = measured(600)
        failed.recordFailure(of: location, in: backend, .location, at: now)
        var resting = measured(600)
        resting.recordFailure(of: LocationID(), in: backend, .throttled(.seconds(5)), at: now)
        var open = measured(600)
        open.trip(backend, for: LocationID(), at: now)
        for health in [failed, resting, open] {
            #expect(health.estimate(of: location, in: backend, at: now) == .avoided)
        }
        #expect(failed.estimate(of: LocationID(), in: backend, at: now) == .rate(600), "another location of the backend")
        #expect(resting.estimate(of: location, in: backend, at: now + .seconds(6)) == .rate(600))
    }
}
