import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import Logging
import Telemetry
import Testing
import Verification
import VerificationFixture

@testable import Downloads
@testable import RelayEngine

/// The reads that follow a download.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DownloadRecorderTests {
    private static let content = PatternedContent(size: 100_003, seed: 181)

    @Test("A new suspect is read at once, and an earlier suspect waits for its date")
    func suspectsWithADate() async throws {
        let origins = [
            "new": try FaultyOrigin(Self.content), "old": try FaultyOrigin(Self.content),
            "last": try FaultyOrigin(Self.content),
        ]
        let fixture = try VerifierFixture(origins)
        let image = try await fixture.image()
        var locations: [String: Location] = [:]
        for backend in ["new", "old", "last"] {
            let id = try await fixture.location(in: backend, of: image, declaring: Self.content).id
            if backend == "old" {
                try await fixture.catalog.recordRejectedChunk(by: [id], at: .now, actor: "test", reason: "played")
            }
            try await fixture.catalog.postponeRead(of: id, until: .now + 3600)
            locations[backend] = try await fixture.catalog.location(id)
        }
        let (new, old) = (try #require(locations["new"]), try #require(locations["old"]))
        #expect(!new.isSuspect && old.isSuspect)
        let recorder = DownloadRecorder(
            catalog: fixture.catalog, verifications: fixture.verifications, holds: fixture.holds,
            deliveries: fixture.deliveries, metrics: DownloadMetrics(in: MetricsRegistry()))
        var summary = RelaySummary(outcome: .refused)
        summary.mismatches = [[new.id, old.id]]
        let representation = try #require(
            try await fixture.catalog.resolve(image, format: RequestedFormat(VerifierFixture.format))?.representation)
        await recorder.record(
            summary, of: DownloadRecord(representation: representation, range: nil, locations: [new, old]),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        // Locations are read one after the other: once this one was read, those before it were read too.
        let reading = Task { try await fixture.verifications.run() }
        await fixture.verifications.verify(try #require(locations["last"]).id, within: .seconds(120))
        reading.cancel()
        _ = await reading.result
        #expect(origins.mapValues { !$0.record.requests.isEmpty } == ["new": true, "old": false, "last": true])
    }

    @Test(
        "Ranges wait only for whole downloads that broke off or did not match",
        arguments: [
            (.finished, true, false), (.refused, false, false), (.digestMismatch, false, true), (.clientGone, false, true),
            (.clientGone, true, false), (.exhausted, false, true),
        ] as [(RelayOutcome, Bool, Bool)])
    func unverifiedDeliveries(outcome: RelayOutcome, isMatched: Bool, isLeftUnverified: Bool) async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.content)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        let representation = try #require(
            try await fixture.catalog.resolve(image, format: RequestedFormat(VerifierFixture.format))?.representation)
        let recorder = DownloadRecorder(
            catalog: fixture.catalog, verifications: fixture.verifications, holds: fixture.holds,
            deliveries: fixture.deliveries, metrics: DownloadMetrics(in: MetricsRegistry()))
        let ticket = try #require(fixture.deliveries.begin(representation.name, from: [location]))
        #expect(fixture.deliveries.hasUnverifiedDelivery(representation.name, [location], manifestMadeAt: nil, at: .now))
        var summary = RelaySummary(outcome: outcome)
        summary.parts = [.init(location: location.id, backend: location.backend, first: 0, last: 99)]
        // One that broke off has no digest; one that did not match has another.
        if isMatched { summary.digest = representation.identity }
        if outcome == .digestMismatch { summary.digest = try Digest(.sha256, hex: String(repeating: "a", count: 64)) }
        await recorder.record(
            summary,
            of: DownloadRecord(representation: representation, range: nil, locations: [location], deliveryTicket: ticket),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(
            fixture.deliveries.hasUnverifiedDelivery(representation.name, [location], manifestMadeAt: nil, at: .now)
                == isLeftUnverified)
    }
}
