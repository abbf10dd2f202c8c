import Foundation
import ImageModel
import Testing

@testable import LocationUpkeep

/// What keeps ranges from completing bytes that nothing verified.
@Suite struct UnverifiedDeliveriesTests {
    private let image = ImageID()
    private let start = Date(timeIntervalSince1970: 1_790_000_000)
    private let format = Format(disk: .raw, container: .bare)

    private func location(verified: Bool = false, id: LocationID = LocationID()) -> Location {
        Location(
            id: id, image: image, backend: BackendID("b"), path: "x", url: "http://x/x", format: format, size: 1,
            digests: DigestSet(), provenAt: verified ? start : nil, createdAt: start)
    }

    private func name() -> Representation.Name { location().representation }

    @Test("While a whole is delivered from locations that were never read, ranges have to wait, and no longer")
    func whileItRuns() throws {
        let deliveries = UnverifiedDeliveries()
        let (first, second) = (location(), location())
        let ticket = try #require(deliveries.begin(name(), from: [first, second]))
        #expect(deliveries.concern(name(), [first, second], at: start))
        let read = [location(verified: true, id: first.id), location(verified: true, id: second.id)]
        #expect(deliveries.concern(name(), [read[0], second], at: start), "either may give its bytes")
        #expect(!deliveries.concern(name(), read, at: start))
        #expect(deliveries.end(ticket, contributors: [], at: start) == [])
        #expect(!deliveries.concern(name(), [first, second], at: start))
    }

    @Test("A whole that broke off concerns those that gave its bytes, until each was read or an hour is over")
    func afterABreak() throws {
        let deliveries = UnverifiedDeliveries()
        let (first, second) = (location(), location())
        let ticket = try #require(deliveries.begin(name(), from: [first, second]))
        #expect(deliveries.end(ticket, contributors: [first.id], at: start) == [first.id])
        #expect(deliveries.concern(name(), [first, location(verified: true, id: second.id)], at: start))
        #expect(deliveries.concern(name(), [second], at: start), "the one that was deleted can't be read any more")
        #expect(deliveries.concern(name(), [first], at: start + Representation.rangePause - 1))
        #expect(!deliveries.concern(name(), [first], at: start + Representation.rangePause))
        #expect(!deliveries.concern(name(), [first], at: start), "what is over is forgotten")
    }

    @Test("Breaks of one representation add up, those of another are none of its concern")
    func severalBreaks() throws {
        let deliveries = UnverifiedDeliveries()
        let (first, second) = (location(), location())
        for location in [first, second] {
            let ticket = try #require(deliveries.begin(name(), from: [location]))
            _ = deliveries.end(ticket, contributors: [location.id], at: start)
        }
        #expect(deliveries.concern(name(), [first, location(verified: true, id: second.id)], at: start))
        #expect(deliveries.concern(name(), [location(verified: true, id: first.id), second], at: start))
        let other = Location(
            id: LocationID(), image: ImageID(), backend: BackendID("b"), path: "x", url: "http://x/x", format: format, size: 1,
            digests: DigestSet(), createdAt: start)
        #expect(!deliveries.concern(other.representation, [other], at: start))
        let read = [first, second].map { location(verified: true, id: $0.id) }
        #expect(!deliveries.concern(name(), read, at: start))
    }

    @Test("Locations that were read in full before leave nothing unverified")
    func verifiedLocations() throws {
        let deliveries = UnverifiedDeliveries()
        let (verified, fresh) = (location(verified: true), location())
        #expect(deliveries.begin(name(), from: [verified]) == nil)
        let ticket = try #require(deliveries.begin(name(), from: [verified, fresh]))
        #expect(deliveries.end(ticket, contributors: [verified.id], at: start) == [])
        #expect(!deliveries.concern(name(), [verified, fresh], at: start))
        #expect(deliveries.end(ticket, contributors: [fresh.id], at: start) == [], "it has ended")
    }
}
