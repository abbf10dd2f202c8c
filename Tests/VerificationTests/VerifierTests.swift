import BackendKit
import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import LocationLifecycle
import Synchronization
import Testing
import VerificationFixture

@testable import Downloads
@testable import Verification

/// How a verification is decided: which reads are made, where they begin, and which readings count.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct VerifierTests {
    static let content = PatternedContent(size: 3_000_017, seed: 151)
    static let other = PatternedContent(size: 3_000_017, seed: 152)

    @Test("Locations of an unacceptable format are quarantined a few at a time, and the rest keep serving")
    func refusalsAreLimited() async throws {
        let content = PatternedContent(size: 100_000, seed: 31)
        let fixture = try VerifierFixture(["north": FaultyOrigin(content)])
        let qcow2 = Format(disk: .qcow2, container: .bare)
        var locations: [Location] = []
        for _ in 0...QuarantineLimit.count {
            locations.append(try await fixture.location(in: "north", of: fixture.image(), declaring: content, format: qcow2))
        }
        for location in locations.dropLast() { #expect(try await fixture.verify(location) == .quarantined) }
        let last = try #require(locations.last)
        #expect(try await fixture.verify(last) == .undecided)
        #expect(try await fixture.status(of: last) == .active)
        // This does not count against the backend: it still allows a quarantine for wrong content.
        #expect(fixture.verifier.allowsQuarantine(on: last.backend))
    }

    @Test("Two reads that are wrong at different bytes decide nothing")
    func twoReadsThatContradictEachOther() async throws {
        let origin = try FaultyOrigin(Self.content) { .corrupt(at: Int64(1000 + $0.index)) }
        let fixture = try VerifierFixture(["a": origin])
        let location = try await fixture.location(in: "a", of: fixture.image(), declaring: Self.content)
        #expect(try await fixture.verify(location) == .undecided)
        #expect(try await fixture.status(of: location) == .active)
        #expect(origin.record.requests.count == 2)
    }

    @Test(
        "Two reads that are wrong in the same way quarantine a location, wherever the wrong byte is",
        arguments: [0, 1_500_000, 3_000_016])
    func twoReadsThatAgree(offset: Int64) async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.content) { _ in .corrupt(at: offset) }])
        let location = try await fixture.location(in: "a", of: fixture.image(), declaring: Self.content)
        #expect(try await fixture.verify(location) == .quarantined)
        #expect(try await fixture.status(of: location) == .quarantined)
    }

    @Test("A sound origin behind a corrupt cache is not quarantined, because the second read bypasses caches")
    func aCacheThatIsWrong() async throws {
        // A cache in front of the origin answers each request that does not bypass caches.
        let origin = try FaultyOrigin(Self.content) {
            $0["cache-control"]?.contains("no-cache") == true ? .sound : .corrupt(at: 5)
        }
        let fixture = try VerifierFixture(["a": origin])
        let location = try await fixture.location(in: "a", of: fixture.image(), declaring: Self.content)
        #expect(try await fixture.verify(location) == .matched)
        #expect(try await fixture.status(of: location) == .active)
        let requests = origin.record.requests
        #expect(requests.count == 2 && requests[0]["cache-control"] == nil)
        #expect(requests.last?["pragma"] == "no-cache" || requests.last?["cache-control"] == "no-cache")
        #expect(requests.first?.connection != requests.last?.connection, "on a connection of its own")
    }

    @Test("The read of a corroborating location bypasses caches")
    func aWitnessBehindACacheThatIsWrong() async throws {
        let wrong = try FaultyOrigin(Self.other)
        // The cache has the other object; the origin behind it is sound.
        let witness = try FaultyOrigin(Self.content) {
            $0["cache-control"]?.contains("no-cache") == true ? .sound : Behaviour.sound.serving(Self.other)
        }
        let fixture = try VerifierFixture(["a": wrong, "b": witness])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        try await fixture.location(in: "b", of: image, declaring: Self.content)
        #expect(try await fixture.verify(location) == .quarantined)
    }

    @Test("A corroborating location is read from its first byte, whatever progress was saved")
    func aWitnessWithSavedProgress() async throws {
        let wrong = try FaultyOrigin(Self.other)
        let witness = try FaultyOrigin(Self.content)
        let fixture = try VerifierFixture(["a": wrong, "b": witness])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        let duplicate = try await fixture.location(in: "b", of: image, declaring: Self.content)
        // An earlier read got the wrong object's bytes up to the last one: resumed, it would agree with the wrong location.
        var digests = ReadDigests([.sha256, .sha512, .md5], chunkSize: nil, declared: duplicate.format, progress: nil)
        var position: Int64 = 0
        while position < Self.other.size {
            position += Self.other.withBytes(at: position, limit: Int(Self.other.size - position)) { bytes in
                digests.update(bytes)
                return Int64(bytes.count)
            }
        }
        try await fixture.catalog.saveReadProgress(
            digests.progress(size: Self.other.size, validator: Validator("\"v1\"")), of: duplicate.id, at: .now)
        #expect(try await fixture.verify(location) == .quarantined)
        #expect(witness.record.requests.map { $0.range?.first } == [0])
    }

    @Test("The second read starts at the first byte, even if the first one resumed saved progress")
    func aSecondReadWithSavedProgress() async throws {
        let origin = try FaultyOrigin(Self.content)
        let fixture = try VerifierFixture(["a": origin])
        let location = try await fixture.location(in: "a", of: fixture.image(), declaring: Self.content)
        var digests = ReadDigests([.sha256, .sha512, .md5], chunkSize: nil, declared: location.format, progress: nil)
        Self.other.withBytes(at: 0, limit: 1_000_000) { digests.update($0) }
        try await fixture.catalog.saveReadProgress(
            digests.progress(size: Self.content.size, validator: Validator("\"v1\"")), of: location.id, at: .now)
        #expect(try await fixture.verify(location) == .matched)
        #expect(origin.record.requests.map { $0.range?.first } == [1_000_000, 0])
    }

    @Test(
        "A duplicate with the same other content corroborates a location, whatever its status",
        arguments: [LocationStatus.active, .pending, .verifying, .quarantined])
    func aDuplicateCorroborates(status: LocationStatus) async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.other), "b": FaultyOrigin(Self.other)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        var duplicate = try await fixture.location(in: "b", of: image, declaring: Self.content)
        for event in Self.events(from: .active, to: status) {
            duplicate = try await fixture.statusChanges.apply(event, to: duplicate, actor: "test", reason: "played")
        }
        if status == .pending { duplicate = try await fixture.pendingDuplicate(of: duplicate, declaring: Self.content) }
        #expect(try await fixture.status(of: duplicate) == status)
        #expect(try await fixture.verify(location) == .digestConflict)
        #expect(try await fixture.status(of: location) == .active)
        let resolution = try await fixture.catalog.resolve(image, format: RequestedFormat())
        #expect(resolution?.representation?.hasDigestConflict == true)
    }

    @Test(
        "A duplicate that an operator took out does not corroborate a location",
        arguments: [LocationStatus.disabled, .pendingDelete])
    func aDuplicateThatIsTakenOut(status: LocationStatus) async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.other), "b": FaultyOrigin(Self.other)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        let duplicate = try await fixture.location(in: "b", of: image, declaring: Self.content)
        for event in Self.events(from: .active, to: status) {
            _ = try await fixture.statusChanges.apply(event, to: duplicate, actor: "test", reason: "played", isForced: true)
        }
        #expect(try await fixture.verify(location) == .quarantined)
    }

    private static func events(from: LocationStatus, to status: LocationStatus) -> [LocationEvent] {
        switch status {
        case .verifying: [.suspect]
        case .quarantined: [.quarantine]
        case .disabled: [.disable]
        case .pending, .pendingDelete: [.delete]
        default: []
        }
    }

    @Test("A suspect that is the last active location of its format keeps serving while it is read")
    func theLastActiveLocationOfAFormat() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .stall(after: 100_000) }
        let fixture = try VerifierFixture(["a": origin, "b": FaultyOrigin(Self.other)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        // Active as well, and no substitute: other bytes are expected of it.
        try await fixture.location(
            in: "b", of: image, declaring: Self.other, format: Format(disk: .qcow2, container: .bare))
        try await fixture.catalog.recordDigestMismatch(
            of: image, format: VerifierFixture.format, contributors: [location.id], at: .now, actor: "test", reason: "played")
        let reading = Task { try await fixture.verify(location) }
        await origin.waitUntil { $0.bodyBytesSent >= 100_000 }
        #expect(try await fixture.status(of: location) == .active)
        fixture.statusChanges.reads.cancel(location.id)
        #expect(try await reading.value == .cancelled)
    }

    @Test("A suspect beside another active location of its format is taken out while it is read")
    func aSuspectThatIsReplaceable() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .stall(after: 100_000) }
        let fixture = try VerifierFixture(["a": origin, "b": FaultyOrigin(Self.content)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        try await fixture.location(in: "b", of: image, declaring: Self.content)
        try await fixture.catalog.recordDigestMismatch(
            of: image, format: VerifierFixture.format, contributors: [location.id], at: .now, actor: "test", reason: "played")
        let reading = Task { try await fixture.verify(location) }
        await origin.waitUntil { $0.bodyBytesSent >= 100_000 }
        #expect(try await fixture.status(of: location) == .verifying)
        fixture.statusChanges.reads.cancel(location.id)
        #expect(try await reading.value == .cancelled)
    }

    @Test("Every contributor to a whole download that did not match becomes a suspect")
    func allContributorsBecomeSuspects() async throws {
        let fixture = try VerifierFixture([
            "a": FaultyOrigin(Self.content), "b": FaultyOrigin(Self.content), "c": FaultyOrigin(Self.content),
        ])
        let image = try await fixture.image()
        var ids: [LocationID] = []
        for backend in ["a", "b", "c"] {
            ids.append(try await fixture.location(in: backend, of: image, declaring: Self.content).id)
        }
        let name = try #require(try await fixture.catalog.location(ids[0])).representation
        let number = fixture.holds.hold(name, contributors: [ids[0], ids[1]])
        try await fixture.holds.write(number)
        var suspect: [Bool?] = []
        for id in ids { suspect.append(try await fixture.catalog.location(id)?.isSuspect) }
        #expect(suspect == [true, true, false])
        // One that is cleared leaves the others under suspicion.
        let first = try #require(try await fixture.catalog.location(ids[0]))
        #expect(try await fixture.verify(first) == .matched)
        #expect(try await fixture.catalog.location(ids[0])?.isSuspect == false)
        #expect(try await fixture.catalog.location(ids[1])?.isSuspect == true)
        let second = try #require(try await fixture.catalog.location(ids[1]))
        #expect(try await fixture.verify(second) == .matched)
        #expect(try await fixture.catalog.location(ids[1])?.isSuspect == false)
    }

    @Test("An object that is replaced during a read gets a manifest of the object that matched")
    func anObjectThatIsExchangedWhileItIsRead() async throws {
        let origin = try FaultyOrigin(Self.content) { request in
            request.index == 0
                ? Behaviour.reset(after: 1_000_000).serving(Self.other)
                : .etag("\"v2\"")
        }
        let fixture = try VerifierFixture(["a": origin])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        #expect(try await fixture.verify(location) == .matched)
        let stored = try #require(try await fixture.catalog.resolve(image, format: RequestedFormat())?.manifest)
        let page = try #require(try await fixture.catalog.manifestPage(0, of: stored))
        var digests = ReadDigests([.sha256], chunkSize: 65_536, progress: nil)
        digests.begin(size: Self.content.size)
        var position: Int64 = 0
        while position < Self.content.size {
            position += Self.content.withBytes(at: position, limit: Int(Self.content.size - position)) { bytes in
                digests.update(bytes)
                return Int64(bytes.count)
            }
        }
        #expect(page.digests == digests.manifest?.digests(ofPage: 0))
        #expect(try await fixture.catalog.location(location.id)?.validator == Validator("\"v2\""))
    }
}

extension VerifierFixture {
    /// A duplicate of this location that has not been probed.
    fileprivate func pendingDuplicate(of duplicate: Location, declaring content: PatternedContent) async throws -> Location {
        try await catalog.addLocation(
            NewLocation(
                image: duplicate.image, backend: duplicate.backend, path: "pending", url: "http://pending/",
                format: duplicate.format,
                size: content.size, digests: duplicate.digests), id: LocationID(), at: .now, actor: "test", reason: "registered"
        )
    }
}
