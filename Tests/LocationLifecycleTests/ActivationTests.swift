import BackendKit
import CurlTransfer
import FaultyOrigin
import Foundation
import HTTPBackend
import ImageCatalog
import ImageModel
import LocationLifecycle
import Logging
import RelayEngine
import Synchronization
import Testing
import Verification
import VerificationFixture

/// How a probe uses what a store states about a new location's object.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ActivationTests {
    private static let content = PatternedContent(size: 100_003, seed: 171)

    /// A web server that states the digest of its object, as S3 does with an ETag.
    private struct StatingDriver: Driver {
        let inner: HTTPDriver
        let stated: Digest

        var capabilities: Capabilities { inner.capabilities }

        func transferRequest(for read: ReadRequest) -> TransferRequest { inner.transferRequest(for: read) }

        func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
            inner.inspect(head, of: read).map { $0.stating(stated) }
        }
    }

    private func checks(in fixture: VerifierFixture, on loop: TransferLoop) -> BackendChecks {
        let probe = ObjectProbe(registry: fixture.relays.registry, loop: loop, timeout: .seconds(30))
        let activation = LocationActivation(
            rule: .probe, locations: fixture.catalog, statusChanges: fixture.statusChanges,
            requestRead: { fixture.verifications.enqueue($0) }, probe: probe, health: fixture.relays.health,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return BackendChecks(locations: fixture.catalog, activation: activation, probe: probe) { _, _ in nil }
    }

    private func new(
        in fixture: VerifierFixture, size: Int64?, digests: [Digest] = [content.digest]
    ) async throws -> NewLocation {
        NewLocation(
            image: try await fixture.image(), backend: BackendID("a"), path: "image", url: "http://a/image",
            format: VerifierFixture.format, size: size, digests: DigestSet(digests))
    }

    /// Probes a new location.
    /// - Parameter stated: the digest that the store states.
    private func probe(
        _ origin: FaultyOrigin, size: Int64 = content.size, stated: Digest? = nil
    ) async throws -> (status: LocationStatus, failure: AttemptFailure.Reason?) {
        let loop = TransferLoop()
        defer { loop.stop() }
        let fixture = try VerifierFixture(["a": origin])
        let registry = fixture.relays.registry
        if let stated {
            let base = try LocationURL(origin.url(""))
            let driver = StatingDriver(inner: HTTPDriver(base: base, connectTimeout: .seconds(30)), stated: stated)
            registry.replace(with: [Backend(id: BackendID("a"), base: base, driver: driver)])
        }
        let location = try await fixture.catalog.addLocation(
            try await new(in: fixture, size: size), id: LocationID(), at: .now, actor: "test", reason: "registered")
        let (probed, failure) = try await checks(in: fixture, on: loop).activate(location)
        #expect(try await fixture.status(of: location) == probed.state.status)
        return (probed.state.status, failure?.reason)
    }

    @Test("A new location becomes active only if its object has the declared size", arguments: [-1, 0, 1])
    func size(difference: Int64) async throws {
        let found = try await probe(FaultyOrigin(Self.content), size: Self.content.size + difference)
        #expect(found.status == (difference == 0 ? .active : .pending))
        #expect(found.failure == (difference == 0 ? nil : .wrongSize))
    }

    @Test("A digest that the store states must equal the declared one")
    func statedDigest() async throws {
        let same = try await probe(FaultyOrigin(Self.content), stated: Self.content.digest)
        #expect(same.status == .active && same.failure == nil)
        let other = try await probe(
            FaultyOrigin(Self.content), stated: try Digest(.sha256, hex: String(repeating: "a", count: 64)))
        #expect(other.status == .pending && other.failure == .wrongDigest)
        // A digest in an algorithm that was not declared is ignored.
        let unknown = try await probe(
            FaultyOrigin(Self.content), stated: try Digest(.md5, hex: String(repeating: "a", count: 32)))
        #expect(unknown.status == .active && unknown.failure == nil)
    }

    @Test("A size that a client leaves out is that of the object if a digest is known, and remains unknown otherwise")
    func missingSize() async throws {
        let isGone = Mutex(false)
        let origin = try FaultyOrigin(Self.content) { _ in isGone.withLock { $0 } ? .status(404) : .sound }
        let loop = TransferLoop()
        defer { loop.stop() }
        let fixture = try VerifierFixture(["a": origin])
        let checks = checks(in: fixture, on: loop)
        #expect(try await checks.examine(new(in: fixture, size: nil)).size == Self.content.size)
        #expect(try await checks.examine(new(in: fixture, size: nil, digests: [])).size == nil)
        #expect(try await checks.examine(new(in: fixture, size: 7)).size == 7, "a declared size is compared later")
        isGone.withLock { $0 = true }
        let missing = try await new(in: fixture, size: nil)
        await #expect(throws: RegistrationError.self) { try await checks.examine(missing) }
    }
}
