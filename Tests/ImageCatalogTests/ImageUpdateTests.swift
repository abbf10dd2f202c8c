import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

@Suite(.timeLimit(.minutes(5))) struct ImageUpdateTests {
    private func update(
        _ image: Image, of fixture: Fixture, _ change: @escaping @Sendable (inout ImageEdit) throws -> Void
    ) async throws -> ImageRecord {
        try await fixture.catalog.update(image.id, for: nil, at: Fixture.start + 60, actor: "test", change)
    }

    private func new(_ image: Image, _ path: String, url: String? = nil) throws -> NewLocation {
        NewLocation(
            image: image.id, backend: BackendID("north"), path: path, url: url ?? "http://north/\(path)",
            format: Fixture.format, size: 10, digests: DigestSet([try Fixture.digest("a")]))
    }

    @Test("An update stores every property of an image")
    func everyPropertyIsStored() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let changed = try await update(image, of: fixture) { edit in
            edit.image.name = "n"
            edit.image.status = .saving
            edit.image.visibility = .public
            edit.image.diskFormat = .iso
            edit.image.containerFormat = .ova
            edit.image.minDisk = 1
            edit.image.minRAM = 2
            edit.image.isProtected = true
            edit.image.isHidden = true
            edit.image.owner = "o"
            edit.image.tags = ["t"]
            edit.image.properties = ["p": "q"]
        }
        let expected = Image(
            id: image.id, name: "n", status: .saving, visibility: .public, diskFormat: .iso, containerFormat: .ova, minDisk: 1,
            minRAM: 2, isProtected: true, isHidden: true, owner: "o", tags: ["t"], properties: ["p": "q"],
            createdAt: image.createdAt, updatedAt: Fixture.start + 60)
        #expect(changed.image == expected)
        #expect(try await fixture.catalog.image(image.id) == expected)
    }

    @Test("An error in a change is passed on, and nothing is stored")
    func anErrorInAChangeStoresNothing() async throws {
        struct Refusal: Error {}
        let fixture = try Fixture()
        let image = try await fixture.image()
        await #expect(throws: Refusal.self) {
            try await update(image, of: fixture) { edit in
                edit.image.name = "never"
                throw Refusal()
            }
        }
        #expect(try await fixture.catalog.image(image.id) == image)
        await #expect(throws: CatalogError.self) {
            try await fixture.catalog.update(ImageID(), for: nil, at: Fixture.start, actor: "test") { _ in }
        }
        // A location that can't be registered takes the whole change back.
        await #expect(throws: CatalogError.self) {
            try await update(image, of: fixture) { edit in
                edit.image.name = "never"
                for _ in 0..<2 { edit.entries.append(.new(.init(try new(image, "twice")))) }
            }
        }
        #expect(try await fixture.catalog.image(image.id) == image)
        #expect(try await fixture.catalog.locations(of: image.id).isEmpty)
    }

    @Test("Concurrent writers lose no update")
    func concurrentWritersLoseNoUpdate() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let catalog = fixture.catalog
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<20 {
                group.addTask {
                    _ = try await catalog.update(image.id, for: nil, at: Fixture.start, actor: "test") { edit in
                        edit.image.properties["writer \(writer)"] = "here"
                        edit.image.minDisk += 1
                    }
                }
            }
            try await group.waitForAll()
        }
        let stored = try #require(try await fixture.catalog.image(image.id))
        #expect(stored.minDisk == 20 && stored.properties.count == 20)
    }

    @Test("Locations are listed in the given order, and those left out are deleted")
    func locationsKeepTheGivenOrder() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image {
            $0.diskFormat = .raw; $0.containerFormat = .bare
        }
        let first = try await update(image, of: fixture) { edit in
            for path in ["a", "b", "c"] {
                edit.entries.append(.new(.init(try new(image, path), validator: Validator("v"), isActive: true)))
            }
        }
        #expect(first.image.status == .active && first.locations.map(\.location.path) == ["a", "b", "c"])
        #expect(first.locations.allSatisfy { $0.location.validator == Validator("v") })
        let second = try await update(image, of: fixture) { edit in
            edit.entries.insert(.new(.init(try new(image, "d"), metadata: #"{"k":["v"]}"#, isActive: true)), at: 1)
            edit.entries.remove(at: 2)
            edit.entries.swapAt(0, 2)
        }
        #expect(second.locations.map(\.location.path) == ["c", "d", "a"])
        #expect(second.locations[1].metadata == #"{"k":["v"]}"#)
        let gone = try await fixture.catalog.locations(of: image.id).first { $0.path == "b" }
        #expect(gone?.state.status == .pendingDelete)
        // A location that is given again is registered again, and the old record is a tombstone.
        let third = try await update(image, of: fixture) { edit in
            edit.entries.append(.new(.init(try new(image, "b"), isActive: true)))
            guard case .kept(let listed, _) = edit.entries[0] else { return }
            edit.entries[0] = .kept(listed, words: ["room": "5"])
        }
        #expect(third.locations.map(\.location.path) == ["c", "d", "a", "b"])
        #expect(third.locations[0].location.metadata == ["room": "5"])
        let statuses = try await fixture.catalog.locations(of: image.id).filter { $0.path == "b" }.map(\.state.status)
        #expect(statuses == [.deleted, .active])
    }

    @Test("A URL with another fragment is another location of the same object")
    func aFragmentMakesAnotherLocation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let record = try await update(image, of: fixture) { edit in
            for fragment in ["", "#new", "#"] {
                edit.entries.append(.new(.init(try new(image, "a", url: "http://north/a" + fragment))))
            }
        }
        #expect(record.locations.map(\.location.url) == ["http://north/a", "http://north/a#new", "http://north/a#"])
        await #expect(throws: CatalogError.duplicateLocation(record.locations[1].location.id)) {
            try await update(image, of: fixture) { edit in
                edit.entries.append(.new(.init(try new(image, "a", url: "http://north/a#new"))))
            }
        }
    }

    @Test("A representation is removed with its last location")
    func aRepresentationIsRemovedWithItsLastLocation() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let first = try await fixture.location(of: image)
        let second = try await fixture.location(of: image, path: "b")
        try await fixture.catalog.forget([first.id])
        #expect(try await fixture.resolve(image)?.representation != nil)
        try await fixture.catalog.forget([second.id])
        #expect(try await fixture.resolve(image)?.formats == [])
        #expect(try await fixture.catalog.record(of: image.id, for: nil)?.representation == nil)
        let active = try await fixture.location(of: image, active: true)
        try await fixture.catalog.forget([active.id])
        #expect(try await fixture.catalog.location(active.id) != nil, "a location that had served was forgotten")
    }

    @Test("A deactivated image stays deactivated when a location becomes active")
    func aDeactivatedImageStaysDeactivated() async throws {
        let fixture = try Fixture()
        for status in [Image.Status.deactivated, .saving] {
            let image = try await fixture.image { $0.status = status }
            try await fixture.location(of: image, active: true)
            #expect(try await fixture.catalog.image(image.id)?.status == status)
        }
        let queued = try await fixture.image { $0.status = .importing }
        try await fixture.location(of: queued, active: true)
        #expect(try await fixture.catalog.image(queued.id)?.status == .active)
    }

    @Test("The size of an image is that of its own format")
    func theSizeFollowsTheImagesOwnFormat() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        func size() async throws -> Int64? {
            try await fixture.catalog.read { db in
                try Int64.fetchOne(db, sql: "SELECT size FROM image WHERE id = ?", arguments: [image.id.description])
            }
        }
        #expect(try await size() == nil)
        try await fixture.location(of: image)
        #expect(try await size() == 10)
        let other = Format(disk: .qcow2, container: .bare)
        try await fixture.location(of: image, path: "b", format: other, size: 5, digests: [Fixture.digest("b")])
        #expect(try await size() == 10)
        _ = try await update(image, of: fixture) { $0.image.diskFormat = .qcow2 }
        #expect(try await size() == 5)
        _ = try await update(image, of: fixture) { $0.image.diskFormat = .iso }
        #expect(try await size() == nil)
    }

    @Test("A restart ends the uploads and imports that were under way")
    func aRestartEndsUploadsAndImports() async throws {
        let fixture = try Fixture()
        let saving = try await fixture.image { $0.status = .saving }
        let importing = try await fixture.image { $0.status = .importing }
        let served = try await fixture.image { $0.status = .saving }
        try await fixture.location(of: served, active: true)
        let deactivated = try await fixture.image { $0.status = .deactivated }
        let task = ImageTask(
            kind: "location_import", status: .processing, image: importing.id, owner: nil, user: "u", request: "r", input: "{}",
            createdAt: Fixture.start, updatedAt: Fixture.start)
        try await fixture.catalog.add(task)
        let cut = try await fixture.catalog.imagesBeingSaved()
        try await fixture.catalog.recoverImagesAfterStart(at: Fixture.start + 1, cutOff: cut)
        #expect(Set(cut) == [saving.id, served.id])
        var statuses: [Image.Status?] = []
        for image in [saving, importing, served, deactivated] {
            statuses.append(try await fixture.catalog.image(image.id)?.status)
        }
        #expect(statuses == [.queued, .queued, .active, .deactivated])
        #expect(try await fixture.catalog.task(task.id)?.status == .failure)
    }

    @Test("Members are added, changed and removed")
    func membersAreAddedChangedAndRemoved() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        let member = Member(image: image.id, project: "p", createdAt: Fixture.start, updatedAt: Fixture.start)
        try await fixture.catalog.add(member)
        await #expect(throws: CatalogError.memberExists(image.id, project: "p")) { try await fixture.catalog.add(member) }
        #expect(try await fixture.catalog.members(of: image.id) == [member])
        #expect(try await fixture.catalog.record(of: image.id, for: "p")?.membership == .pending)
        let accepted = try await fixture.catalog.setStatus(.accepted, of: "p", in: image.id, at: Fixture.start + 1)
        #expect(accepted.status == .accepted && accepted.updatedAt == Fixture.start + 1)
        try await fixture.catalog.removeMember("p", of: image.id)
        let unknown = CatalogError.unknownMember(image.id, project: "p")
        await #expect(throws: unknown) {
            try await fixture.catalog.setStatus(.rejected, of: "p", in: image.id, at: Fixture.start)
        }
        await #expect(throws: unknown) { try await fixture.catalog.removeMember("p", of: image.id) }
        try await fixture.catalog.add(member)
        try await fixture.catalog.deleteImage(image.id)
        #expect(try await fixture.catalog.members(of: image.id).isEmpty)
    }

    @Test("Tasks are listed with the newest first")
    func tasksAreListedTheNewestFirst() async throws {
        let fixture = try Fixture()
        var tasks: [ImageTask] = []
        for index in 0..<5 {
            let task = ImageTask(
                kind: "location_import", image: ImageID(), owner: index == 2 ? "p" : nil, user: "u", request: "r",
                input: "{}", createdAt: Fixture.start, updatedAt: Fixture.start)
            try await fixture.catalog.add(task)
            tasks.append(task)
        }
        var query = TaskQuery()
        query.limit = 2
        #expect(try await fixture.catalog.tasks(query) == [tasks[4], tasks[3]])
        query.marker = tasks[3].id
        #expect(try await fixture.catalog.tasks(query) == [tasks[2], tasks[1]])
        var own = TaskQuery()
        own.owner = "p"
        #expect(try await fixture.catalog.tasks(own) == [tasks[2]])
        own.owner = nil
        own.image = tasks[0].image
        #expect(try await fixture.catalog.tasks(own) == [tasks[0]])
        try await fixture.catalog.setStatus(.failure, message: "why", ofTask: tasks[0].id, at: Fixture.start + 1)
        let failed = try #require(try await fixture.catalog.task(tasks[0].id))
        #expect(failed.status == .failure && failed.message == "why" && failed.updatedAt == Fixture.start + 1)
    }
}
