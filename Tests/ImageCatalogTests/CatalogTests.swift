import Foundation
import ImageModel
import Testing

@testable import ImageCatalog

@Suite struct CatalogTests {
    @Test("An image is read back as it was stored")
    func anImageIsReadBackAsItWasStored() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image {
            $0.name = "disk"
            $0.diskFormat = .qcow2
            $0.tags = ["a", "b"]
            $0.properties = ["kernel": "x"]
            $0.owner = "me"
            $0.minDisk = 7
            $0.visibility = .public
        }
        #expect(try await fixture.catalog.image(image.id) == image)
        #expect(try await fixture.catalog.image(ImageID()) == nil)
        await #expect(throws: CatalogError.imageExists(image.id)) { try await fixture.catalog.createImage(image) }
    }

    @Test("The ID of a deleted image cannot be used again")
    func theIDOfADeletedImageCannotBeUsedAgain() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        try await fixture.catalog.deleteImage(image.id)
        await #expect(throws: CatalogError.formerImage(image.id)) { try await fixture.catalog.createImage(image) }
        #expect(try await fixture.catalog.image(image.id) == nil)
    }

    @Test("Lists are paged, filtered and ordered")
    func listsArePagedFilteredAndOrdered() async throws {
        let fixture = try Fixture()
        var images: [Image] = []
        for index in 0..<5 {
            let made = Image(
                id: ImageID(), name: index % 2 == 0 ? "even" : "odd", createdAt: Fixture.start + Double(index),
                updatedAt: Fixture.start)
            try await fixture.catalog.createImage(made)
            images.append(made)
        }
        var query = ImageQuery()
        query.limit = 2
        var seen: [ImageID] = []
        while true {
            let page = try await fixture.catalog.records(query)
            seen += page.map(\.image.id)
            guard let last = page.last else { break }
            query.marker = last.image.id
        }
        #expect(seen == images.reversed().map(\.id))
        var named = ImageQuery()
        named.filters = [.word(.name, ["odd"])]
        #expect(try await fixture.catalog.records(named).map(\.image.id) == [images[3].id, images[1].id])
        var stray = ImageQuery()
        stray.marker = ImageID()
        await #expect(throws: CatalogError.unknownMarker(stray.marker!)) { try await fixture.catalog.records(stray) }
    }

    @Test("Deleting an image deletes its locations, and a protected image is not deleted")
    func deletingAnImageDeletesItsLocations() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image)
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await fixture.catalog.location(location.id) == nil)
        await #expect(throws: CatalogError.unknownImage(image.id)) { try await fixture.catalog.deleteImage(image.id) }
        let protected = try await fixture.image { $0.isProtected = true }
        await #expect(throws: CatalogError.protectedImage(protected.id)) {
            try await fixture.catalog.deleteImage(protected.id)
        }
        #expect(try await fixture.catalog.image(protected.id) != nil)
    }

    @Test("The first location founds the representation, and equal ones join it")
    func theFirstLocationFoundsTheRepresentation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image, digests: [Fixture.digest("a"), Fixture.digest("b", .md5)])
        try await fixture.location(of: image, path: "copy")
        let resolution = try #require(try await fixture.resolve(image))
        #expect(resolution.representation?.identity == (try Fixture.digest("a")))
        #expect(resolution.representation?.size == 10)
        #expect(resolution.locations.map(\.path) == ["image", "copy"])
        #expect(resolution.image.format == Fixture.format, "an image without formats takes its first location's")
        #expect(resolution.locations.first == first)
        #expect(first.state.status == .pending && first.metadata == ["room": "4"] && first.weight == 3 && first.tier == 1)
    }

    @Test("Other content is refused, and nothing is stored")
    func otherContentIsRefusedAndNothingIsStored() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image)
        for (path, size, digest) in [("b", 11, try Fixture.digest("a")), ("c", 10, try Fixture.digest("b"))] {
            await #expect {
                try await fixture.location(of: image, path: path, size: Int64(size), digests: [digest])
            } throws: { error in
                if case CatalogError.differentContent = error { true } else { false }
            }
        }
        await #expect(throws: CatalogError.duplicateLocation(first.id)) { try await fixture.location(of: image) }
        #expect(try await fixture.catalog.locations(of: image.id).count == 1)
    }

    @Test("Each format is a representation of its own")
    func eachFormatIsARepresentationOfItsOwn() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        try await fixture.location(of: image)
        let other = Format(disk: .qcow2, container: .bare)
        try await fixture.location(of: image, path: "b", format: other, size: 5, digests: [Fixture.digest("b")])
        let own = try #require(try await fixture.resolve(image))
        #expect(own.locations.map(\.path) == ["image"])
        #expect(Set(own.formats) == [Fixture.format, other])
        let asked = try #require(try await fixture.catalog.resolve(image.id, format: RequestedFormat(other)))
        #expect(asked.representation?.size == 5)
        let none = RequestedFormat(Format(disk: .iso, container: .bare))
        #expect(try await fixture.catalog.resolve(image.id, format: none)?.representation == nil)
        #expect(try await fixture.catalog.resolve(ImageID(), format: RequestedFormat()) == nil)
    }

    @Test("Every event is in the history, and the image's status follows")
    func everyEventIsInTheHistory() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let location = try await fixture.location(of: image)
        #expect(try await fixture.catalog.image(image.id)?.status == .queued)
        #expect(try await fixture.catalog.dueLocations(at: Fixture.start).toProbe.map(\.id) == [location.id])
        let active = try await fixture.apply(.probed, to: location, validator: Validator("v1"))
        #expect(active.state.status == .active && active.validator == Validator("v1"))
        #expect(try await fixture.catalog.image(image.id)?.status == .active)
        try await fixture.apply(.disable, to: location)
        await #expect {
            try await fixture.apply(.probed, to: location)
        } throws: { error in
            if case CatalogError.illegalEvent(let illegal) = error { illegal.legal == [.enable, .delete] } else { false }
        }
        let history = try await fixture.catalog.history(of: location.id)
        #expect(history.map(\.event) == [.registered, .probed, .disable])
        #expect(history.map(\.to) == [.pending, .active, .disabled])
        #expect(history.last?.actor == "test" && history.last?.reason == "because" && history.last?.time == Fixture.start)
        await #expect(throws: CatalogError.self) {
            try await fixture.catalog.apply(
                LocationChange(.probed, of: LocationID(), actor: "", reason: "", at: Fixture.start))
        }
    }

    @Test("The last active location is not taken out as a suspect")
    func theLastActiveLocationIsNotTakenOutAsASuspect() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image, active: true)
        await #expect(throws: CatalogError.lastActive(first.id)) { try await fixture.apply(.suspect, to: first) }
        try await fixture.location(of: image, path: "b", active: true)
        #expect(try await fixture.apply(.suspect, to: first).state.status == .verifying)
    }

    @Test("A failed verification holds the representation until each contributor is settled")
    func aFailedVerificationHoldsTheRepresentation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image, active: true)
        let second = try await fixture.location(of: image, path: "b", active: true)
        try await fixture.catalog.recordDigestMismatch(
            of: image.id, format: Fixture.format, contributors: [first.id, second.id, LocationID()], at: Fixture.start,
            actor: "baton", reason: "mismatch")
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == true)
        #expect(try await fixture.resolve(image)?.representation?.lastMismatchAt == Fixture.start)
        #expect(try await Set(fixture.catalog.suspects().map(\.id)) == [first.id, second.id])
        try await fixture.catalog.recordVerification(of: first.id, validator: Validator("v2"), at: Fixture.start)
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == true)
        let cleared = try #require(try await fixture.catalog.location(first.id))
        #expect(!cleared.isSuspect && cleared.verifiedAt == Fixture.start && cleared.validator == Validator("v2"))
        try await fixture.apply(.quarantine, to: second)
        #expect(try await fixture.resolve(image)?.representation?.isOnIntegrityHold == false)
        #expect(
            try await fixture.catalog.history(of: first.id).map(\.event) == [
                .registered, .probed, .markedSuspect, .verified,
            ])
    }

    @Test("A location whose read a restart stopped returns to the status before")
    func aReadThatARestartStoppedRestoresTheStatus() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image)
        try await fixture.apply(.verify, to: first)
        let second = try await fixture.location(of: image, path: "b", active: true)
        let reopened = try SQLiteCatalog(path: fixture.path)
        #expect(try await reopened.recoverAfterStart(at: Fixture.start).map(\.id) == [first.id])
        #expect(try await reopened.location(first.id)?.state == LocationState(.pending))
        #expect(try await reopened.location(second.id)?.state.status == .active)
        #expect(try await reopened.recoverAfterStart(at: Fixture.start).isEmpty)
    }
}
