import BackendKit
import CurlTransfer
import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import LocationLifecycle
import Logging
import RelayEngine
import Testing
import VerificationFixture

/// What becomes of an image and its locations when a registration ends.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RegistrarTests {
    private let content = PatternedContent(size: 1003, seed: 5)
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Imports a location whose full read ends as `readInFull` says.
    /// - Returns: the image's record and the task afterwards.
    private func imported(
        readInFull: @escaping @Sendable (LocationID, VerifierFixture) async -> AttemptFailure?
    ) async throws -> (record: ImageRecord, task: ImageTask) {
        let content = content
        let fixture = try VerifierFixture(["a": try FaultyOrigin(content)])
        let loop = TransferLoop()
        defer { loop.stop() }
        let probe = ObjectProbe(registry: fixture.relays.registry, loop: loop, timeout: .seconds(30))
        let activation = LocationActivation(
            rule: .probe, locations: fixture.catalog, statusChanges: fixture.statusChanges, requestRead: { _ in }, probe: probe,
            health: fixture.relays.health, logger: logger)
        let checks = BackendChecks(locations: fixture.catalog, activation: activation, probe: probe) { location, _ in
            await readInFull(location, fixture)
        }
        let registrar = LocationRegistrar(catalog: fixture.catalog, checks: checks, statusChanges: fixture.statusChanges)
        let image = Image(
            id: ImageID(), diskFormat: .raw, containerFormat: .bare, createdAt: .now, updatedAt: .now)
        try await fixture.catalog.createImage(image)
        let task = ImageTask(
            kind: "location_import", status: .processing, image: image.id, owner: nil, user: "test", request: "req",
            input: "{}", createdAt: .now, updatedAt: .now)
        try await registrar.beginImport(task, for: nil, describe: { "\($0)" }, logger: logger)
        await registrar.runImport(
            task, of: "http://a/image", at: "image", in: BackendID("a"), DigestSet([content.digest]), describe: { "\($0)" },
            logger: logger)
        return (
            try #require(try await fixture.catalog.record(of: image.id, for: nil)),
            try #require(try await fixture.catalog.task(task.id))
        )
    }

    @Test("An import that a busy backend ends says so, and leaves the image queued without a location")
    func anImportThatABusyBackendEndsSaysSo() async throws {
        let (record, task) = try await imported { _, _ in
            AttemptFailure(.busy, .throttled, detail: "all connections of the backend are in use")
        }
        #expect(record.image.status == .queued && record.locations.isEmpty)
        #expect(task.status == .failure)
        #expect(task.message.contains("all connections of the backend are in use"))
    }

    @Test("An import whose location matches makes the image active")
    func anImportWhoseLocationMatchesMakesTheImageActive() async throws {
        let (record, task) = try await imported { location, fixture in
            guard let pending = try? await fixture.catalog.location(location) else { return nil }
            _ = try? await fixture.verify(pending)
            return nil
        }
        #expect(record.image.status == .active && record.locations.count == 1)
        #expect(task.status == .success && task.message.isEmpty)
    }
}
