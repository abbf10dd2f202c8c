import Foundation
import ImageModel
import Testing

@testable import ImageCatalog

@Suite struct LifecycleTests {
    private let start = Fixture.start

    private func content(_ size: Int64 = 10, _ letter: Character = "a", validator: String? = "v1") throws -> LocationContent {
        let digests = try [DigestAlgorithm.sha256, .sha512, .md5].map { try Fixture.digest(letter, $0) }
        return LocationContent(size: size, digests: DigestSet(digests), validator: validator.map { Validator($0) })
    }

    @Test("A location of unknown content founds its representation once it has been read")
    func aReadLocationFoundsItsRepresentation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, size: nil, digests: [])
        #expect(!location.isIdentified && location.state.status == .pending)
        #expect(try await fixture.resolve(image)?.representation == nil)
        #expect(try await fixture.resolve(image)?.formats == [Fixture.format], "204 would say that there never was a location")
        await #expect(throws: CatalogError.unidentified(location.id)) { try await fixture.apply(.probed, to: location) }
        try await fixture.apply(.verify, to: location)
        let read = try await fixture.catalog.recordMatch(of: location.id, content(), at: start)
        #expect(read.state.status == .active && read.isIdentified && read.size == 10)
        #expect(read.computed == [.sha256, .sha512, .md5] && read.verifiedAt == start && read.validator == Validator("v1"))
        #expect(try await fixture.resolve(image)?.representation?.identity == Fixture.digest("a"))
        #expect(try await fixture.catalog.image(image.id)?.status == .active)
    }

    @Test("A probe's validator does not pin an object whose full read stated none")
    func aProbesValidatorEndsWithTheFullRead() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, active: true)
        #expect(location.validator == Validator("v1") && !location.servesVerifiedRanges)
        let read = try await fixture.catalog.recordMatch(of: location.id, content(validator: nil), at: start)
        #expect(read.validator == nil && !read.servesVerifiedRanges)
        let again = try await fixture.catalog.recordMatch(of: location.id, content(validator: "v2"), at: start)
        #expect(again.validator == Validator("v2") && again.servesVerifiedRanges)
        try await fixture.catalog.recordVerification(of: location.id, validator: nil, at: start)
        #expect(try await fixture.catalog.location(location.id)?.servesVerifiedRanges == false)
    }

    @Test("A location serves verified ranges only while it is active and not suspect")
    func verifiedRangesEndWithASuspicion() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, active: true)
        try await fixture.catalog.recordVerification(of: location.id, validator: Validator("v1"), at: start)
        #expect(try await fixture.catalog.location(location.id)?.servesVerifiedRanges == true)
        try await fixture.catalog.recordRejectedChunk(by: [location.id], at: start, actor: "test", reason: "played")
        #expect(try await fixture.catalog.location(location.id)?.servesVerifiedRanges == false)
        try await fixture.catalog.recordVerification(of: location.id, validator: Validator("v1"), at: start)
        let disabled = try await fixture.apply(.disable, to: location)
        #expect(!disabled.servesVerifiedRanges)
    }

    @Test("The last active location of a format is not taken out as a suspect, whatever other formats serve")
    func theLastActiveLocationOfAFormatStays() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let only = try await fixture.location(of: image, active: true)
        let qcow2 = Format(disk: .qcow2, container: .bare)
        try await fixture.location(of: image, path: "b", format: qcow2, digests: [Fixture.digest("b")], active: true)
        await #expect(throws: CatalogError.lastActive(only.id)) { try await fixture.apply(.suspect, to: only) }
        let second = try await fixture.location(of: image, path: "c")
        await #expect(throws: CatalogError.lastActive(only.id), "one that does not serve yet") {
            try await fixture.apply(.suspect, to: only)
        }
        try await fixture.apply(.probed, to: second)
        #expect(try await fixture.apply(.suspect, to: only).state.status == .verifying)
    }

    @Test("A declared digest is never replaced by a computed one")
    func aDeclaredDigestIsNeverReplacedByAComputedOne() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, digests: [Fixture.digest("a"), Fixture.digest("c", .md5)])
        try await fixture.apply(.verify, to: location)
        await #expect {
            _ = try await fixture.catalog.recordMatch(of: location.id, content(), at: start)
        } throws: { error in
            if case CatalogError.differentContent = error { true } else { false }
        }
        let kept = try #require(try await fixture.catalog.location(location.id))
        #expect(kept.digests == location.digests && kept.computed.isEmpty && kept.state.status == .verifying)
    }

    @Test("A location that cannot be compared joins only after a read of equal content")
    func anUncomparableLocationJoinsOnlyWithEqualContent() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        try await fixture.location(of: image, active: true)
        let equal = try await fixture.location(of: image, path: "b", digests: [Fixture.digest("a", .md5)])
        let other = try await fixture.location(of: image, path: "c", size: nil, digests: [])
        #expect(!equal.isIdentified && !other.isIdentified)
        for location in [equal, other] { try await fixture.apply(.verify, to: location) }
        #expect(try await fixture.catalog.recordMatch(of: equal.id, content(), at: start).computed == [.sha256, .sha512])
        await #expect {
            _ = try await fixture.catalog.recordMatch(of: other.id, content(10, "b"), at: start)
        } throws: { error in
            if case CatalogError.differentContent = error { true } else { false }
        }
    }

    @Test("The last active location of an image is deleted only by force")
    func theLastActiveLocationIsDeletedOnlyByForce() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, active: true)
        await #expect(throws: CatalogError.lastActiveDeletion(location.id)) { try await fixture.apply(.delete, to: location) }
        let due = start + 60
        let change = LocationChange(
            .delete, of: location.id, actor: "test", reason: "because", at: start, isForced: true, expiresAt: due)
        #expect(try await fixture.catalog.apply(change).expiresAt == due)
        #expect(try await fixture.catalog.dueLocations(at: due - 1).toExpire.isEmpty)
        #expect(try await fixture.catalog.dueLocations(at: due).toExpire.map(\.id) == [location.id])
        #expect(try await fixture.apply(.restore, to: location).expiresAt == nil)
        #expect(try await fixture.catalog.location(location.id)?.state.status == .active)
    }

    @Test("Only the misses of the last day count as an absence")
    func onlyTheMissesOfTheLastDayCount() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let gone = try await fixture.location(of: image, active: true)
        let other = try await fixture.location(of: image, path: "b", active: true)
        func miss(_ time: Date) async throws -> Absence {
            try await fixture.catalog.recordMiss(of: gone.id, at: time, nextReadAt: time + 3600)
        }
        #expect(try await miss(start) == Absence(misses: [start], isBackendReadable: false))
        #expect(try await miss(start + 3599).misses == [start], "the same absence was counted twice")
        try await fixture.catalog.recordVerification(of: other.id, validator: nil, at: start + 100)
        #expect(try await miss(start + 3600) == Absence(misses: [start, start + 3600], isBackendReadable: true))
        let nextDay = start + 86_400
        #expect(try await miss(nextDay) == Absence(misses: [start + 3600, nextDay], isBackendReadable: false))
        _ = try await fixture.catalog.recordMatch(of: gone.id, content(), at: nextDay)
        #expect(try await miss(nextDay + 1).misses == [nextDay + 1], "a found object did not reset the absence")
    }

    @Test("The oldest verification is scrubbed first")
    func theOldestVerificationIsScrubbedFirst() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        var locations: [Location] = []
        for (index, age) in [20.0, 30, 10].enumerated() {
            let location = try await fixture.location(of: image, path: "\(index)", active: true)
            try await fixture.catalog.recordVerification(of: location.id, validator: nil, at: start - age)
            locations.append(location)
        }
        try await fixture.location(of: image, path: "pending")
        func next(_ time: Date) async throws -> LocationID? {
            try await fixture.catalog.nextToScrub(verifiedBefore: start - 15, at: time)?.id
        }
        #expect(try await next(start) == locations[1].id)
        try await fixture.catalog.recordFailedRead(of: locations[1].id, nextReadAt: start + 5)
        #expect(try await next(start) == locations[0].id)
        #expect(try await next(start + 5) == locations[1].id)
        let never = try await fixture.location(of: image, path: "never", active: true)
        #expect(try await next(start + 5) == never.id)
    }

    @Test("A location is due for a read when its time has come")
    func aLocationIsDueWhenItsTimeHasCome() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        func due(_ time: Date) async throws -> [LocationID] {
            try await fixture.catalog.dueLocations(at: time).toRead.map(\.id)
        }
        let unknown = try await fixture.location(of: image, path: "unknown", size: nil, digests: [])
        let taken = try await fixture.location(of: image, path: "taken", active: true)
        let quarantined = try await fixture.location(of: image, path: "quarantined", active: true)
        let suspect = try await fixture.location(of: image, path: "suspect", active: true)
        try await fixture.apply(.suspect, to: taken)
        _ = try await fixture.catalog.apply(
            LocationChange(.quarantine, of: quarantined.id, actor: "", reason: "", at: start, nextReadAt: start + 60))
        try await fixture.catalog.recordDigestMismatch(
            of: image.id, format: Fixture.format, contributors: [suspect.id], at: start, actor: "", reason: "")
        #expect(try await due(start) == [unknown.id, taken.id, suspect.id])
        for location in [unknown, suspect] {
            try await fixture.catalog.recordFailedRead(of: location.id, nextReadAt: start + 30)
        }
        #expect(try await due(start) == [taken.id])
        #expect(try await due(start + 60) == [unknown.id, taken.id, quarantined.id, suspect.id])
    }

    @Test("A quarantined location without a date is due at once")
    func aQuarantinedLocationWithoutADateIsDueAtOnce() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image, active: true)
        _ = try await fixture.catalog.apply(
            LocationChange(.quarantine, of: location.id, actor: "", reason: "", at: start, nextReadAt: start + 60))
        #expect(try await fixture.catalog.dueLocations(at: start).toRead.isEmpty)
        // An operator's `enable` sets no date: the location must be read again all the same.
        try await fixture.apply(.disable, to: location)
        #expect(try await fixture.apply(.enable, to: location).state.status == .quarantined)
        #expect(try await fixture.catalog.dueLocations(at: start).toRead.map(\.id) == [location.id])
    }

    @Test("A suspect that comes back restores the integrity hold")
    func aSuspectThatComesBackRestoresTheHold() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let suspect = try await fixture.location(of: image, active: true)
        try await fixture.location(of: image, path: "b", active: true)
        try await fixture.catalog.recordDigestMismatch(
            of: image.id, format: Fixture.format, contributors: [suspect.id], at: start, actor: "", reason: "")
        try await fixture.apply(.delete, to: suspect)
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == false)
        try await fixture.apply(.restore, to: suspect)
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == true)
    }

    @Test("A probe does not replace the validator of a full read")
    func aProbeAfterAFullRead() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image)
        // An operator takes it out while it is read, and back in later.
        for event in [LocationEvent.verify, .disable] { try await fixture.apply(event, to: location) }
        _ = try await fixture.catalog.recordMatch(of: location.id, content(validator: "v1"), at: start)
        #expect(try await fixture.apply(.enable, to: location).state.status == .pending)
        let probed = try await fixture.apply(.probed, to: location, validator: Validator("v2"))
        #expect(probed.state.status == .active && probed.validator == Validator("v1"))
    }

    @Test("A suspect that an operator disables keeps the integrity hold, since it may come back")
    func aDisabledSuspect() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let suspect = try await fixture.location(of: image, active: true)
        try await fixture.location(of: image, path: "b", active: true)
        try await fixture.catalog.recordDigestMismatch(
            of: image.id, format: Fixture.format, contributors: [suspect.id], at: start, actor: "", reason: "")
        try await fixture.apply(.disable, to: suspect)
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == true)
    }

    @Test("A quarantine counts as a failed read, whether the location was in service or not")
    func aQuarantineIsAFailedRead() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let active = try await fixture.location(of: image, active: true)
        #expect(try await fixture.apply(.quarantine, to: active).failedReads == 1)
        let pending = try await fixture.location(of: image, path: "b")
        #expect(try await fixture.apply(.verify, to: pending).failedReads == 0)
        #expect(try await fixture.apply(.mismatched, to: pending).failedReads == 1)
    }

    @Test("The progress of a read survives a restart")
    func theProgressOfAReadSurvivesARestart() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image)
        let progress = ReadProgress(position: 7, size: 10, validator: Validator("v"), digests: [1, 2, 3])
        try await fixture.catalog.saveReadProgress(progress, of: location.id, at: start)
        let reopened = try SQLiteCatalog(path: fixture.path)
        #expect(try await reopened.readProgress(of: location.id) == progress)
        try await reopened.saveReadProgress(nil, of: location.id, at: start)
        #expect(try await reopened.readProgress(of: location.id) == nil)
    }

    /// Random events, legal and illegal: an image follows its locations, and the history adds up.
    @Test("Random events keep the catalog's invariants", arguments: 0..<8)
    func randomEventsKeepTheCatalogsInvariants(seed: Int) async throws {
        var random = SystemRandomNumberGenerator.seeded(UInt64(seed))
        let fixture = try Fixture()
        let image = try await fixture.image()
        var ids: [LocationID] = []
        for index in 0..<4 {
            ids.append(try await fixture.location(of: image, path: "\(index)", active: index < 2).id)
        }
        for _ in 0..<150 {
            guard let id = ids.randomElement(using: &random), let event = LocationEvent.allCases.randomElement(using: &random)
            else { continue }
            let before = try #require(try await fixture.catalog.location(id))
            do {
                let after = try await fixture.catalog.apply(
                    LocationChange(
                        event, of: id, actor: "test", reason: "random", at: start, isForced: Bool.random(using: &random)))
                var expected = before.state
                try expected.apply(event)
                #expect(after.state == expected, "seed \(seed)")
            } catch let error as CatalogError {
                #expect(try await fixture.catalog.location(id)?.state == before.state, "seed \(seed): \(error)")
            }
        }
        try await fixture.checkInvariants(of: image.id)
    }
}

extension Fixture {
    /// The invariants that hold after any events.
    func checkInvariants(of image: ImageID) async throws {
        let locations = try await catalog.locations(of: image)
        let everServed = try await locations.asyncContains { location in
            try await catalog.history(of: location.id).contains { $0.to.serves }
        }
        #expect(try await catalog.image(image)?.status == (everServed ? .active : .queued))
        for location in locations {
            let history = try await catalog.history(of: location.id)
            #expect(history.first?.event == .registered)
            #expect(history.last?.to == location.state.status)
            for (earlier, later) in zip(history, history.dropFirst()) { #expect(earlier.to == later.from) }
        }
    }
}

extension Array {
    func asyncContains(_ condition: (Element) async throws -> Bool) async throws -> Bool {
        for element in self where try await condition(element) { return true }
        return false
    }
}

extension SystemRandomNumberGenerator {
    /// Numbers that a failing seed gives again (Knuth's MMIX constants; the high bits are the random ones).
    static func seeded(_ seed: UInt64) -> SeededNumbers { SeededNumbers(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1) }
}

struct SeededNumbers: RandomNumberGenerator {
    fileprivate var state: UInt64

    mutating func next() -> UInt64 {
        var result: UInt64 = 0
        for _ in 0..<2 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            result = result << 32 | state >> 32
        }
        return result
    }
}
