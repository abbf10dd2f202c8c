import Foundation
import GRDB
import ImageModel
import Testing

@testable import ImageCatalog

/// Lists compared with the plainest model: an array that is filtered and sorted in memory.
@Suite(.timeLimit(.minutes(5))) struct ImageListTests {
    /// Numbers that are the same in every run.
    struct Generator {
        var state: UInt64

        mutating func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }

        mutating func pick<Value>(_ values: [Value]) -> Value { values[next(values.count)] }
    }

    /// An image as it is expected, with its size.
    struct Expected {
        let image: Image
        let size: Int64?
    }

    /// Many images with few distinct values, so that every key has ties; some have a representation.
    static func fill(_ fixture: Fixture, count: Int, seed: UInt64) async throws -> [Expected] {
        // One transaction, so that the disk is asked once.
        try await fixture.catalog.write { db in
            var random = Generator(state: seed)
            return try (0..<count).map { index in
                let image = image(&random)
                try SQLiteCatalog.createImage(image, db)
                guard let format = image.format, random.next(3) > 0 else { return Expected(image: image, size: nil) }
                let size = Int64(random.next(3))
                let location = NewLocation(
                    image: image.id, backend: BackendID("north"), path: "\(index)", url: "http://north/\(index)",
                    format: format, size: size, digests: DigestSet([try Fixture.digest("a")]))
                _ = try SQLiteCatalog.addLocation(
                    location, id: LocationID(), at: Fixture.start, actor: "test", reason: "registered", db)
                return Expected(image: image, size: size)
            }
        }
    }

    private static func image(_ random: inout Generator) -> Image {
        Image(
            id: ImageID(), name: random.pick([nil, "", "a", "b", "B", "ä", "a b"]),
            status: random.pick([.queued, .active, .deactivated]), visibility: random.pick(Image.Visibility.allCases),
            diskFormat: random.pick([nil, .raw, .qcow2]), containerFormat: random.pick([nil, .bare, .ova]),
            minDisk: random.next(3), isProtected: random.next(2) == 0, isHidden: random.next(4) == 0,
            owner: random.pick([nil, "mine", "other"]), tags: random.pick([[], ["x"], ["x", "y"]]),
            properties: random.pick([[:], ["k": "1"], ["k": "2", "a.b\"c": "x"]]),
            createdAt: Fixture.start + Double(random.next(8)), updatedAt: Fixture.start + Double(random.next(8)))
    }

    static func precedes(_ left: Expected, _ right: Expected, _ order: [ImageOrder]) -> Bool {
        let direction = order.first?.direction ?? .descending
        for key in order + [ImageOrder(.createdAt, direction), ImageOrder(.id, direction)] {
            let comparison = compare(left, right, key.key)
            if comparison != 0 { return (comparison < 0) == (key.direction == .ascending) }
        }
        return false
    }

    private static func compare(_ left: Expected, _ right: Expected, _ key: ImageOrder.Key) -> Int {
        func three<Value: Comparable>(_ value: (Expected) -> Value) -> Int {
            value(left) < value(right) ? -1 : value(left) > value(right) ? 1 : 0
        }
        /// SQLite compares texts byte by byte.
        func bytes(_ text: (Expected) -> String) -> Int {
            let (first, second) = (Array(text(left).utf8), Array(text(right).utf8))
            return first == second ? 0 : first.lexicographicallyPrecedes(second) ? -1 : 1
        }
        switch key {
        case .name: return bytes { $0.image.name ?? "" }
        case .status: return bytes { $0.image.status.rawValue }
        case .size: return three { $0.size ?? -1 }
        case .id: return bytes { $0.image.id.description }
        case .diskFormat: return bytes { $0.image.diskFormat?.rawValue ?? "" }
        case .containerFormat: return bytes { $0.image.containerFormat?.rawValue ?? "" }
        case .createdAt: return three { $0.image.createdAt }
        case .updatedAt: return three { $0.image.updatedAt }
        }
    }

    /// Everything that a query shows, page by page.
    static func pages(_ query: ImageQuery, of fixture: Fixture) async throws -> [ImageRecord] {
        var query = query
        var all: [ImageRecord] = []
        while true {
            let page = try await fixture.catalog.records(query)
            all += page
            guard page.count == query.limit, let last = page.last else { return all }
            query.marker = last.image.id
        }
    }

    @Test("Every order equals that of a plain sort", arguments: ImageOrder.Key.allCases, ImageOrder.Direction.allCases)
    func everyOrderEqualsThatOfAPlainSort(key: ImageOrder.Key, direction: ImageOrder.Direction) async throws {
        let fixture = try Fixture()
        let all = try await Self.fill(fixture, count: 120, seed: 7)
        let seconds: [[ImageOrder]] = [
            [], [ImageOrder(.name, direction)], [ImageOrder(.size, .ascending), ImageOrder(.status, .descending)],
        ]
        for second in seconds {
            var query = ImageQuery()
            query.order = [ImageOrder(key, direction)] + second
            let order = query.order
            let expected = all.sorted { Self.precedes($0, $1, order) }.map(\.image.id)
            for limit in [3, 7, 120] {
                query.limit = limit
                let seen = try await Self.pages(query, of: fixture)
                #expect(seen.map(\.image.id) == expected, "\(order), \(limit) a page")
            }
        }
    }

    @Test("Every record has its own image, size and locations")
    func everyRecordHasItsOwnImageSizeAndLocations() async throws {
        let fixture = try Fixture()
        let all = try await Self.fill(fixture, count: 60, seed: 3)
        var query = ImageQuery()
        query.limit = 13
        let records = try await Self.pages(query, of: fixture)
        #expect(records.count == all.count)
        for expected in all {
            let record = try #require(records.first { $0.image.id == expected.image.id })
            #expect(record.representation?.size == expected.size)
            #expect(record.locations.map(\.location.image) == (expected.size == nil ? [] : [expected.image.id]))
            #expect(try await fixture.catalog.record(of: expected.image.id, for: nil) == record)
        }
    }

    @Test(
        "Every filter selects the same images as a plain loop",
        arguments: [
            .word(.name, ["a"]), .word(.name, ["a", "B", "a b"]), .word(.name, []), .word(.status, ["active"]),
            .word(.visibility, ["public"]), .word(.owner, ["mine"]), .word(.diskFormat, ["raw", "iso"]),
            .word(.containerFormat, ["bare"]), .isHidden(false), .isHidden(true), .isProtected(true), .size(1...2),
            .size(0...0), .minimum(disk: 2, memory: nil), .minimum(disk: 0, memory: 1), .tag("x"), .tag("y"), .tag("z"),
            .property("k", "1"), .property("a.b\"c", "x"), .property("k", "x"), .notVisibility(.community, unlessOwner: nil),
            .notVisibility(.community, unlessOwner: "mine"), .time(.createdAt, .gt, Fixture.start + 3),
            .time(.createdAt, .gte, Fixture.start + 3), .time(.updatedAt, .lt, Fixture.start + 3),
            .time(.updatedAt, .lte, Fixture.start + 3), .time(.createdAt, .eq, Fixture.start + 3),
            .time(.createdAt, .neq, Fixture.start + 3),
        ] as [ImageFilter])
    func everyFilterSelectsTheSameAsAPlainLoop(filter: ImageFilter) async throws {
        let fixture = try Fixture()
        let all = try await Self.fill(fixture, count: 120, seed: 11)
        var query = ImageQuery()
        query.limit = 9
        query.filters = [filter]
        let seen = try await Self.pages(query, of: fixture).map(\.image.id)
        let expected = all.filter { Self.holds(filter, $0) }.map(\.image.id)
        #expect(Set(seen) == Set(expected) && seen.count == expected.count)
    }

    private static func holds(_ filter: ImageFilter, _ expected: Expected) -> Bool {
        let image = expected.image
        switch filter {
        case .word(let word, let values):
            let value: String? =
                switch word {
                case .id: image.id.description
                case .name: image.name ?? ""
                case .status: image.status.rawValue
                case .visibility: image.visibility.rawValue
                case .owner: image.owner
                case .diskFormat: image.diskFormat?.rawValue
                case .containerFormat: image.containerFormat?.rawValue
                }
            return value.map(values.contains) ?? false
        case .isHidden(let isHidden): return image.isHidden == isHidden
        case .isProtected(let isProtected): return image.isProtected == isProtected
        case .size(let range): return expected.size.map(range.contains) ?? false
        case .minimum(let disk, let memory):
            return (disk ?? image.minDisk) == image.minDisk && (memory ?? image.minRAM) == image.minRAM
        case .time(let time, let comparison, let date):
            let value = time == .createdAt ? image.createdAt : image.updatedAt
            return switch comparison {
            case .gt: value > date
            case .gte: value >= date
            case .lt: value < date
            case .lte: value <= date
            case .eq: value == date
            case .neq: value != date
            }
        case .tag(let tag): return image.tags.contains(tag)
        case .property(let name, let value): return image.properties[name] == value
        case .checksum: return false
        case .notVisibility(let visibility, let owner):
            return image.visibility != visibility || (owner != nil && image.owner == owner)
        }
    }

    @Test("Images are found by the digests of their locations")
    func imagesAreFoundByTheDigestsOfTheirLocations() async throws {
        let fixture = try Fixture()
        let image = try await fixture.image()
        _ = try await fixture.image()
        try await fixture.location(of: image, digests: [Fixture.digest("a"), Fixture.digest("b", .md5)])
        var query = ImageQuery()
        for (filter, isFound) in [
            (ImageFilter.checksum(.checksum, String(repeating: "B", count: 32)), true),
            (.checksum(.value, String(repeating: "a", count: 64)), true),
            (.checksum(.value, String(repeating: "b", count: 32)), false),
        ] {
            query.filters = [filter]
            #expect(try await fixture.catalog.records(query).map(\.image.id) == (isFound ? [image.id] : []))
        }
    }

    @Test(
        "A project sees public and community images, its own, and those shared with it",
        arguments: ["mine", "other", nil] as [String?], [nil, .accepted, .pending] as [Member.Status?])
    func aProjectSeesPublicOwnAndSharedImages(
        project: String?, sharing: Member.Status?
    ) async throws {
        let fixture = try Fixture()
        let all = try await Self.fill(fixture, count: 80, seed: 5)
        var random = Generator(state: 99)
        var members: [ImageID: [String: Member.Status]] = [:]
        for image in all.map(\.image) {
            for candidate in ["mine", "other"] where random.next(2) == 0 {
                let status = random.pick(Member.Status.allCases)
                members[image.id, default: [:]][candidate] = status
                try await fixture.catalog.add(
                    Member(
                        image: image.id, project: candidate, status: status, createdAt: Fixture.start,
                        updatedAt: Fixture.start))
            }
        }
        var query = ImageQuery()
        query.limit = 11
        query.scope = .project(project, sharing: sharing)
        let seen = try await Self.pages(query, of: fixture)
        let expected = all.map(\.image).filter { image in
            if image.visibility == .public || image.visibility == .community { return true }
            guard let project else { return false }
            if image.owner == project { return true }
            guard image.visibility == .shared, let status = members[image.id]?[project] else { return false }
            return sharing == nil || status == sharing
        }
        #expect(Set(seen.map(\.image.id)) == Set(expected.map(\.id)) && seen.count == expected.count)
        for record in seen {
            #expect(record.membership == project.flatMap { members[record.image.id]?[$0] })
        }
        let hidden = try #require(all.map(\.image).first { image in !expected.contains { $0.id == image.id } })
        query.marker = hidden.id
        await #expect(throws: CatalogError.unknownMarker(hidden.id), "an image that the project does not see was a marker") {
            try await fixture.catalog.records(query)
        }
    }

    /// What makes a page of ten thousand images as quick as one of a hundred: the index finds where the page begins and gives
    /// the order, and no query is asked once per image.
    @Test("A page is found through an index and read with a few queries", arguments: ImageOrder.Key.allCases)
    func aPageIsFoundByAnIndexAndReadWithAFewQueries(key: ImageOrder.Key) async throws {
        let statements = StatementLog()
        var configuration = Configuration()
        configuration.prepareDatabase { db in db.trace { statements.add("\($0)") } }
        let fixture = try Fixture(configuration: configuration)
        _ = try await Self.fill(fixture, count: 40, seed: 1)
        var query = ImageQuery()
        query.limit = 30
        query.order = [ImageOrder(key, .descending)]
        // Somewhere in the middle, whatever the random ids are.
        query.marker = try await fixture.catalog.records(query)[5].image.id
        statements.clear()
        #expect(try await fixture.catalog.records(query).count > 1)
        let selects = statements.all.filter { $0.hasPrefix("SELECT") }
        #expect(selects.count == 4, "the marker, the images, their representations, their locations")
        let list = try #require(selects.first { $0.contains("ORDER BY") && $0.contains("LIMIT") })
        let plan = try await fixture.catalog.read { db in
            let values = StatementArguments(Array(repeating: 1, count: list.count { $0 == "?" }))
            return try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + list, arguments: values).map {
                "\($0["detail"] as String)"
            }
        }
        #expect(plan.count == 1 && plan.first?.hasPrefix("SEARCH image USING INDEX") == true, "\(plan)")
    }

    /// The statements of a connection, in their order.
    final class StatementLog: @unchecked Sendable {  // under its lock
        private let lock = NSLock()
        private var statements: [String] = []

        var all: [String] { lock.withLock { statements } }

        func add(_ statement: String) { lock.withLock { statements.append(statement) } }

        func clear() { lock.withLock { statements = [] } }
    }
}
