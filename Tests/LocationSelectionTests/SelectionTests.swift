import Foundation
import ImageModel
import LocationSelection
import Testing

@Suite struct SelectionTests {
    let image = ImageID()
    let now = ContinuousClock.now

    private func location(
        _ backend: String, status: LocationStatus = .active, weight: Int = 0, tier: Int = 0, validator: String? = "v",
        accused: Bool = false
    ) -> Location {
        Location(
            id: LocationID(), image: image, backend: BackendID(backend), path: "x", url: "http://a/x",
            state: LocationState(status), format: Format(disk: .raw, container: .bare), size: 1, digests: DigestSet(),
            weight: weight, tier: tier, validator: validator.map { Validator($0) }, isAccused: accused, createdAt: .now)
    }

    private func select(
        _ locations: [Location], need: Selection.Need = .whole, strategy: SelectionStrategy = .ordered,
        health: LocationHealth = LocationHealth(penalty: .seconds(30)), at now: ContinuousClock.Instant? = nil
    ) -> Selection {
        Selection(
            of: locations, need: need, strategy: strategy,
            backends: ["a", "b", "c", "d"].map { BackendID($0) }.reduce(into: []) {
                $0.insert($1)
            }, health: health, at: now ?? self.now)
    }

    @Test func tierComesBeforeTheStrategy() {
        let locations = [location("a", weight: 9, tier: 1), location("b", weight: 1), location("c", weight: 5)]
        #expect(select(locations).ranked.map(\.location.backend.name) == ["b", "c", "a"])
        #expect(select(locations, strategy: .weighted).ranked.map(\.location.backend.name) == ["c", "b", "a"])
    }

    @Test func aFailedLocationGoesToTheEndForItsPenaltyAndAnAccusedOneBehindIt() {
        let locations = [location("a", accused: true), location("b"), location("c", tier: 5)]
        var health = LocationHealth(penalty: .seconds(30))
        health.recordFailure(of: locations[1].id, at: now)
        let during = select(locations, health: health, at: now + .seconds(29))
        #expect(during.ranked.map(\.location.backend.name) == ["c", "b", "a"])
        #expect(during.ranked.map(\.standing) == [.regular, .failedLately, .accused])
        let after = select(locations, health: health, at: now + .seconds(30))
        #expect(after.ranked.map(\.location.backend.name) == ["b", "c", "a"])
        health.recordSuccess(of: locations[1].id)
        #expect(select(locations, health: health).ranked.map(\.location.backend.name) == ["b", "c", "a"])
    }

    @Test func whatMayNotServeIsRejectedWithItsReason() {
        let locations = [
            location("a", status: .disabled), location("unknown"), location("b", validator: nil), location("c"),
        ]
        let selection = select(locations, need: .range)
        #expect(selection.ranked.map(\.location.backend.name) == ["c"])
        #expect(selection.rejected.map(\.reason) == [.status, .noBackend, .noValidator])
        #expect(select(locations).ranked.map(\.location.backend.name) == ["b", "c"])
    }

    @Test func backoffStaysBelowItsGrowingBoundAndStartsAnew() {
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

    @Test func theBudgetIsSpentByRevisitsAndRefundedByProgress() {
        var budget = RevisitBudget(limit: 2, refundAfter: 100)
        let spent = [budget.spend(), budget.spend(), budget.spend()]
        #expect(spent == [true, true, false])
        let tooEarly = budget.advance(by: 99)
        let enough = budget.advance(by: 1)
        #expect(!tooEarly && enough)
        #expect(budget.left == 2)
    }
}
