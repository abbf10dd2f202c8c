import Foundation
import ImageModel
import LocationSelection
import Testing

@Suite struct SelectionTests {
    let image = ImageID()
    let now = ContinuousClock.now

    private func location(
        _ backend: String, status: LocationStatus = .active, weight: Int = 0, tier: Int = 0, validator: String? = "v",
        suspect: Bool = false, verified: Bool = true
    ) -> Location {
        Location(
            id: LocationID(), image: image, backend: BackendID(backend), path: "x", url: "http://a/x",
            state: LocationState(status), format: Format(disk: .raw, container: .bare), size: 1, digests: DigestSet(),
            weight: weight, tier: tier, validator: validator.map { Validator($0) }, isSuspect: suspect,
            verifiedAt: verified ? .now : nil, createdAt: .now)
    }

    private func select(
        _ locations: [Location], requirement: Selection.Requirement = .whole, strategy: SelectionStrategy = .ordered,
        health: Health = Health(penalty: .seconds(30), seed: 1), randomNumber: UInt64? = nil,
        at now: ContinuousClock.Instant? = nil
    ) -> Selection {
        Selection(
            of: locations, requirement: requirement, size: 100_000_000, strategy: strategy,
            backends: Set(["a", "b", "c", "d"].map { BackendID($0) }), health: health, randomNumber: randomNumber,
            at: now ?? self.now)
    }

    /// The health after one complete attempt at each backend: milliseconds to the first byte, megabytes per second.
    private func health(_ measured: [(backend: String, firstByte: Int, throughput: Int64)]) -> Health {
        var health = Health(penalty: .seconds(30), seed: 1)
        for (backend, firstByte, throughput) in measured {
            health.attemptRequested(in: BackendID(backend))
            health.attemptEnded(
                in: BackendID(backend),
                AttemptMeasure(
                    isComplete: true, firstByte: .milliseconds(firstByte), bytes: throughput * 1_000_000, active: .seconds(1)),
                at: now)
        }
        return health
    }

    @Test("The measured strategy ranks the location first that would finish first")
    func measuredRanksTheFastestLocationFirst() {
        let locations = [location("a"), location("b"), location("c", tier: 1)]
        let seen = health([("a", 5, 50), ("b", 200, 400), ("c", 1, 900)])
        let selection = select(locations, strategy: .measured, health: seen)
        #expect(selection.ranked.map(\.location.backend.name) == ["b", "a", "c"])
        #expect(abs(selection.ranked[0].cost - 0.45) < 0.001)
        #expect(select(locations, strategy: .ordered, health: seen).ranked.map(\.location.backend.name) == ["a", "b", "c"])
    }

    @Test("The measured strategy spreads concurrent attempts")
    func measuredSpreadsConcurrentAttempts() {
        let locations = [location("a"), location("b")]
        var seen = health([("a", 5, 100), ("b", 5, 90)])
        #expect(select(locations, strategy: .measured, health: seen).ranked.first?.location.backend.name == "a")
        seen.attemptRequested(in: BackendID("a"))
        #expect(select(locations, strategy: .measured, health: seen).ranked.first?.location.backend.name == "b")
    }

    @Test("One in twenty measured selections explores another location of the same tier")
    func oneInTwentySelectionsExplores() {
        let locations = [location("a"), location("b"), location("c"), location("d", tier: 1)]
        let seen = health([("a", 5, 100), ("b", 5, 90), ("c", 5, 80), ("d", 5, 900)])
        var firsts: [String: Int] = [:]
        for randomNumber in UInt64(0)..<4000 {
            let first = select(locations, strategy: .measured, health: seen, randomNumber: randomNumber).ranked[0]
            #expect((first.standing == .explored) == (first.location.backend.name != "a"))
            firsts[first.location.backend.name, default: 0] += 1
        }
        #expect(firsts == ["a": 3800, "b": 100, "c": 100])
    }

    @Test("A backend with an open breaker ranks after failed ones and before suspects")
    func anOpenBreakerRanksAfterFailuresAndBeforeSuspects() {
        let locations = [location("a"), location("b"), location("c"), location("d", suspect: true)]
        var seen = Health(penalty: .seconds(3600), seed: 1)
        for _ in 0..<5 { seen.recordFailure(of: locations[0].id, in: BackendID("a"), .backend, at: now) }
        seen.recordFailure(of: locations[1].id, in: BackendID("b"), .throttled(.seconds(20)), at: now)
        seen.recordFailure(of: locations[2].id, in: BackendID("c"), .location, at: now)
        let selection = select(locations, health: seen)
        #expect(selection.ranked.map(\.location.backend.name) == ["c", "b", "a", "d"])
        #expect(selection.ranked.map(\.standing) == [.failedLately, .resting, .breakerOpen, .suspect])
        let rested = select(locations, health: seen, at: now + .seconds(20))
        #expect(rested.ranked[1].standing == .failedLately)
    }

    @Test("The tier ranks before the strategy")
    func theTierRanksBeforeTheStrategy() {
        let locations = [location("a", weight: 9, tier: 1), location("b", weight: 1), location("c", weight: 5)]
        #expect(select(locations).ranked.map(\.location.backend.name) == ["b", "c", "a"])
        #expect(select(locations, strategy: .weighted).ranked.map(\.location.backend.name) == ["c", "b", "a"])
    }

    @Test("A failed location ranks last for its penalty, and a suspect ranks behind it")
    func aFailedLocationRanksLastForItsPenalty() {
        let locations = [location("a", suspect: true), location("b"), location("c", tier: 5)]
        var health = Health(penalty: .seconds(30), seed: 1)
        health.recordFailure(of: locations[1].id, in: BackendID("b"), .location, at: now)
        let during = select(locations, health: health, at: now + .seconds(29))
        #expect(during.ranked.map(\.location.backend.name) == ["c", "b", "a"])
        #expect(during.ranked.map(\.standing) == [.regular, .failedLately, .suspect])
        let after = select(locations, health: health, at: now + .seconds(30))
        #expect(after.ranked.map(\.location.backend.name) == ["b", "c", "a"])
        health.recordSuccess(of: locations[1].id)
        #expect(select(locations, health: health).ranked.map(\.location.backend.name) == ["b", "c", "a"])
    }

    @Test("A location that may not serve is rejected with its reason")
    func aLocationThatMayNotServeIsRejectedWithItsReason() {
        let locations = [
            location("a", status: .disabled), location("unknown"), location("b", validator: nil), location("c"),
            location("d", suspect: true), location("a", verified: false),
        ]
        let selection = select(locations, requirement: .range)
        #expect(selection.ranked.map(\.location.backend.name) == ["c"])
        #expect(selection.rejected.map(\.reason) == [.status, .noBackend, .noValidator, .suspect, .neverRead])
        #expect(select(locations).ranked.map(\.location.backend.name) == ["b", "c", "a", "d"])
    }

    @Test("Backoff stays below its growing bound and can be reset")
    func backoffStaysBelowItsGrowingBound() {
        var generator = SplitMix64(seed: 7)
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(1))
        for doubling in 0..<12 {
            let wait = backoff.next(using: &generator)
            #expect(wait >= .zero && wait < min(.seconds(1), .milliseconds(100) * (1 << doubling)))
        }
        backoff.reset()
        let first = backoff.next(using: &generator)
        #expect(first < .milliseconds(100))
    }

    @Test("Revisits spend the budget, and progress refunds it")
    func revisitsSpendTheBudgetAndProgressRefundsIt() {
        var budget = RevisitBudget(limit: 2, refundAfter: 100)
        let spent = [budget.spend(), budget.spend(), budget.spend()]
        #expect(spent == [true, true, false])
        let tooEarly = budget.advance(by: 99)
        let enough = budget.advance(by: 1)
        #expect(!tooEarly && enough)
        #expect(budget.left == 2)
    }
}
