import BackendKit
import CurlTransfer
package import Downloads
package import FaultyOrigin
import Foundation
import HTTPBackend
package import ImageCatalog
package import ImageModel
import Integrity
package import LocationLifecycle
import LocationSelection
import Logging
package import RelayEngine
import Telemetry
package import Verification

/// A verifier over a catalog of its own, whose backends are these origins.
package final class VerifierFixture: Sendable {
    package static let format = Format(disk: .raw, container: .bare)

    package let catalog: SQLiteCatalog
    package let relays: Relays
    package let statusChanges: LocationStatusChanges
    package let verifier: Verifier
    package let verifications: VerificationQueue
    package let holds: PendingIntegrityHolds
    package let deliveries = UnverifiedDeliveries(startedAt: .distantPast)
    private let directory = NSTemporaryDirectory() + "baton-verifier-\(UUID().uuidString)"
    private let loop = TransferLoop(name: "test", slabSize: 65_536)
    private let origins: [String: FaultyOrigin]

    package init(_ origins: [String: FaultyOrigin]) throws {
        self.origins = origins
        catalog = try SQLiteCatalog(path: directory + "/catalog.sqlite")
        let registry = BackendRegistry(
            try origins.map { name, origin in
                let base = try LocationURL(origin.url(""))
                return Backend(
                    id: BackendID(name), base: base, driver: HTTPDriver(base: base, connectTimeout: .seconds(30)))
            })
        relays = Relays(
            registry: registry, loops: [loop], policy: RelayPolicy(), strategy: .ordered, penalty: .seconds(3600))
        let schedule = ReadSchedule(recheck: .seconds(3600), missInterval: .seconds(3600), scrubInterval: nil)
        statusChanges = LocationStatusChanges(catalog: catalog, relays: relays, schedule: schedule, deleteDelay: .seconds(3600))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        verifier = Verifier(
            catalog: catalog, statusChanges: statusChanges, schedule: schedule, registry: registry, loop: loop,
            settings: .init(stallTimeout: .seconds(60)), chunkSize: 65_536, metrics: MetricsRegistry(), logger: logger)
        verifications = VerificationQueue(
            verifier: verifier, pace: ReadRateLimiter(bytesPerSecond: nil), readers: 1, logger: logger)
        holds = PendingIntegrityHolds(verifications: catalog)
    }

    deinit {
        loop.stop()
        for origin in origins.values { origin.stop() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A new image.
    package func image() async throws -> ImageID {
        let image = Image(id: ImageID(), createdAt: .now, updatedAt: .now)
        try await catalog.createImage(image)
        return image.id
    }

    /// An active location that declares this content.
    @discardableResult
    package func location(
        in backend: String, of image: ImageID, declaring content: PatternedContent, format: Format = format
    ) async throws -> Location {
        let location = try await catalog.addLocation(
            NewLocation(
                image: image, backend: BackendID(backend), path: "image", url: "http://\(backend)/image", format: format,
                size: content.size, digests: DigestSet([content.digest])), id: LocationID(), at: .now, actor: "test",
            reason: "registered")
        return try await statusChanges.apply(
            .probed, to: location, actor: "test", reason: "played", validator: Validator("\"v1\""))
    }

    package func verify(_ location: Location) async throws -> Verifier.Result {
        try await verifier.verify(location.id, pace: ReadRateLimiter(bytesPerSecond: nil))
    }

    package func status(of location: Location) async throws -> LocationStatus? {
        try await catalog.location(location.id)?.state.status
    }
}

extension PatternedContent {
    /// The digest that identifies the content.
    package var digest: Digest {
        let stream = DigestStream(.sha256)
        var offset: Int64 = 0
        while offset < size {
            offset += withBytes(at: offset, limit: Int(min(size - offset, 1 << 20))) { bytes in
                stream.update(bytes)
                return Int64(bytes.count)
            }
        }
        return stream.finish()
    }
}
