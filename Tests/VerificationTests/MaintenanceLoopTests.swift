import BackendKit
import CurlTransfer
import Downloads
import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import LocationLifecycle
import Logging
import RelayEngine
import Testing
import VerificationFixture

@testable import Verification

/// A maintenance pass over the locations of a failing backend.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MaintenanceLoopTests {
    private static let content = PatternedContent(size: 1000, seed: 201)

    @Test("A failing backend is asked once per pass, however many of its locations are pending")
    func aBackendThatFails() async throws {
        let failing = try FaultyOrigin(Self.content) { _ in .status(500) }
        // Its object is missing, which is no failure of the backend: its requests count the passes.
        let counting = try FaultyOrigin(Self.content) { _ in .status(404) }
        let fixture = try VerifierFixture(["failing": failing, "counting": counting])
        let loop = TransferLoop()
        defer { loop.stop() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        for (backend, count) in [("failing", 5), ("counting", 1)] {
            for _ in 0..<count {
                _ = try await fixture.catalog.addLocation(
                    NewLocation(
                        image: try await fixture.image(), backend: BackendID(backend), path: "image",
                        url: "http://\(backend)/image", format: VerifierFixture.format, size: Self.content.size,
                        digests: DigestSet([Self.content.digest])), id: LocationID(), at: .now, actor: "test",
                    reason: "registered")
            }
        }
        let rounds = MaintenanceLoop(
            locations: fixture.catalog, statusChanges: fixture.statusChanges,
            activation: LocationActivation(
                rule: .probe, locations: fixture.catalog, statusChanges: fixture.statusChanges,
                requestRead: { fixture.verifications.enqueue($0) },
                probe: ObjectProbe(registry: fixture.relays.registry, loop: loop, timeout: .seconds(30)),
                health: fixture.relays.health, logger: logger),
            verifications: fixture.verifications, writeHolds: { try await fixture.holds.writeAll() },
            interval: .milliseconds(1), logger: logger)
        let running = Task { try await rounds.run() }
        await counting.waitUntil { $0.requests.count >= 4 }
        running.cancel()
        _ = await running.result
        let asked = failing.record.requests.count
        #expect(asked >= 3 && asked <= counting.record.requests.count + 1)
    }
}
