import Foundation
import ImageModel
import Testing

@testable import Downloads

/// How ranges are kept from completing bytes that were not verified.
@Suite struct UnverifiedDeliveriesTests {
    private let image = ImageID()
    private let start = Date(timeIntervalSince1970: 1_790_000_000)
    private let format = Format(disk: .raw, container: .bare)

    private func location(verified: Bool = false, id: LocationID = LocationID()) -> Location {
        Location(
            id: id, image: image, backend: BackendID("b"), path: "x", url: "http://x/x", format: format, size: 1,
            digests: DigestSet(), verifiedAt: verified ? start : nil, createdAt: start)
    }

    private func name() -> Representation.Name { location().representation }

    @Test("Ranges wait while a whole is delivered from locations that are not verified")
    func whileItRuns() throws {
        let deliveries = UnverifiedDeliveries(startedAt: start)
        let (first, second) = (location(), location())
        let ticket = try #require(deliveries.begin(name(), from: [first, second]))
        #expect(deliveries.hasUnverifiedDelivery(name(), [first, second], manifestMadeAt: nil, at: start))
        let read = [location(verified: true, id: first.id), location(verified: true, id: second.id)]
        #expect(
            deliveries.hasUnverifiedDelivery(name(), [read[0], second], manifestMadeAt: nil, at: start),
            "either one may serve its bytes")
        #expect(!deliveries.hasUnverifiedDelivery(name(), read, manifestMadeAt: nil, at: start))
        #expect(deliveries.end(ticket, contributors: [], at: start) == [])
        #expect(!deliveries.hasUnverifiedDelivery(name(), [first, second], manifestMadeAt: nil, at: start))
    }

    @Test("Ranges wait after a broken download until its contributors are read or an hour has passed")
    func afterABreak() throws {
        let deliveries = UnverifiedDeliveries(startedAt: start)
        let (first, second) = (location(), location())
        let ticket = try #require(deliveries.begin(name(), from: [first, second]))
        #expect(deliveries.end(ticket, contributors: [first.id], at: start) == [first.id])
        #expect(
            deliveries.hasUnverifiedDelivery(
                name(), [first, location(verified: true, id: second.id)], manifestMadeAt: nil, at: start))
        #expect(
            deliveries.hasUnverifiedDelivery(name(), [second], manifestMadeAt: nil, at: start),
            "the one that was deleted can't be read any more")
        #expect(
            deliveries.hasUnverifiedDelivery(name(), [first], manifestMadeAt: nil, at: start + Representation.rangePause - 1))
        #expect(!deliveries.hasUnverifiedDelivery(name(), [first], manifestMadeAt: nil, at: start + Representation.rangePause))
        #expect(!deliveries.hasUnverifiedDelivery(name(), [first], manifestMadeAt: nil, at: start), "what is over is forgotten")
    }

    @Test("Broken downloads of one representation add up and do not concern another one")
    func severalBreaks() throws {
        let deliveries = UnverifiedDeliveries(startedAt: start)
        let (first, second) = (location(), location())
        for location in [first, second] {
            let ticket = try #require(deliveries.begin(name(), from: [location]))
            _ = deliveries.end(ticket, contributors: [location.id], at: start)
        }
        #expect(
            deliveries.hasUnverifiedDelivery(
                name(), [first, location(verified: true, id: second.id)], manifestMadeAt: nil, at: start))
        #expect(
            deliveries.hasUnverifiedDelivery(
                name(), [location(verified: true, id: first.id), second], manifestMadeAt: nil, at: start))
        let other = Location(
            id: LocationID(), image: ImageID(), backend: BackendID("b"), path: "x", url: "http://x/x", format: format, size: 1,
            digests: DigestSet(), createdAt: start)
        #expect(!deliveries.hasUnverifiedDelivery(other.representation, [other], manifestMadeAt: nil, at: start))
        let read = [first, second].map { location(verified: true, id: $0.id) }
        #expect(!deliveries.hasUnverifiedDelivery(name(), read, manifestMadeAt: nil, at: start))
    }

    @Test("Locations that were verified in full leave nothing unverified")
    func verifiedLocations() throws {
        let deliveries = UnverifiedDeliveries(startedAt: start)
        let (verified, fresh) = (location(verified: true), location())
        #expect(deliveries.begin(name(), from: [verified]) == nil)
        let ticket = try #require(deliveries.begin(name(), from: [verified, fresh]))
        #expect(deliveries.end(ticket, contributors: [verified.id], at: start) == [])
        #expect(!deliveries.hasUnverifiedDelivery(name(), [verified, fresh], manifestMadeAt: nil, at: start))
        #expect(deliveries.end(ticket, contributors: [fresh.id], at: start) == [], "it has ended")
    }

    @Test("A download whose record is lost counts as broken at each of its locations")
    func lostTicket() throws {
        let deliveries = UnverifiedDeliveries(startedAt: start)
        let (first, second) = (location(), location())
        var ticket = deliveries.begin(name(), from: [first, second])
        #expect(ticket != nil)
        ticket = nil
        let (now, verified) = (Date.now, location(verified: true, id: first.id))
        #expect(deliveries.hasUnverifiedDelivery(name(), [verified, second], manifestMadeAt: nil, at: now))
        #expect(
            !deliveries.hasUnverifiedDelivery(
                name(), [verified, second], manifestMadeAt: nil, at: now + Representation.rangePause + 60))
    }

    @Test("Ranges wait for an hour after a restart for locations that may have served unverified bytes")
    func beforeARestart() {
        let active = LocationState(.active)
        func known(verified: Bool = false, _ state: LocationState) -> Location {
            Location(
                id: LocationID(), image: image, backend: BackendID("b"), path: "x", url: "http://x/x", state: state,
                format: format, size: 1, digests: DigestSet(), verifiedAt: verified ? start : nil, createdAt: start)
        }
        let deliveries = UnverifiedDeliveries(startedAt: start + 10)
        func hasUnverifiedDelivery(_ location: Location, manifest: TimeInterval? = nil, after seconds: TimeInterval = 20)
            -> Bool
        {
            deliveries.hasUnverifiedDelivery(
                name(), [known(verified: true, active), location], manifestMadeAt: manifest.map { start + $0 },
                at: start + seconds)
        }
        #expect(hasUnverifiedDelivery(known(active)))
        #expect(hasUnverifiedDelivery(known(LocationState(.quarantined))), "it may have served before")
        #expect(hasUnverifiedDelivery(known(active), manifest: 15), "a manifest that was made since")
        #expect(
            hasUnverifiedDelivery(known(active), manifest: 9 - Representation.rangePause + 2), "a manifest of the last hour")
        #expect(
            !hasUnverifiedDelivery(known(active), manifest: 9 - Representation.rangePause), "what is older than an hour is over"
        )
        #expect(!hasUnverifiedDelivery(known(active), after: 11 + Representation.rangePause))
        #expect(!hasUnverifiedDelivery(known(verified: true, active)))
        #expect(!hasUnverifiedDelivery(known(LocationState(.pending))), "it never served")
        let fresh = UnverifiedDeliveries(startedAt: start)
        #expect(
            !fresh.hasUnverifiedDelivery(name(), [known(active)], manifestMadeAt: nil, at: start + 20),
            "registered since the start")
    }
}
