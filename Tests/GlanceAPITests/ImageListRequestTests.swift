import Access
import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Testing

@testable import GlanceAPI
@testable import HTTPServing

@Suite struct ImageListRequestTests {
    static let member = Caller(user: "u", project: "mine", roles: [.reader, .member])

    static func filters(_ query: String, _ caller: Caller = .everybody) throws -> [ImageFilter] {
        try ImageListRequest(query, by: caller).query.filters
    }

    @Test(
        "A query parameter is the filter that it names",
        arguments: [
            ("name=a", .word(.name, ["a"])), ("name=in:a,b", .word(.name, ["a", "b"])), ("name=eq:a", .word(.name, ["a"])),
            ("name=in:%22a,b%22,c", .word(.name, ["a,b", "c"])), ("name=http:x", .word(.name, ["http:x"])),
            ("status=in:active,queued", .word(.status, ["active", "queued"])), ("owner=in:a", .word(.owner, ["in:a"])),
            ("id=x", .word(.id, ["x"])), ("disk_format=raw", .word(.diskFormat, ["raw"])),
            ("visibility=public", .word(.visibility, ["public"])), ("protected=true", .isProtected(true)),
            ("tag=a+b", .tag("a b")), ("colour=red", .property("colour", "red")), ("size_min=5", .size(5 ... .max)),
            ("size_max=5", .size(0...5)), ("size=5", .size(5...5)), ("size_min=2&size_max=5", .size(2...5)),
            ("min_ram=5", .minimum(disk: nil, memory: 5)), ("checksum=aa", .checksum(.checksum, "aa")),
            ("created_at=gt:2026-09-01T10:00:00Z", .time(.createdAt, .gt, Date(timeIntervalSince1970: 1_788_256_800))),
            ("updated_at=2026-09-01T10:00:00", .time(.updatedAt, .eq, Date(timeIntervalSince1970: 1_788_256_800))),
            ("updated_at=lte:2026-09-01T12:00:00%2B02:00", .time(.updatedAt, .lte, Date(timeIntervalSince1970: 1_788_256_800))),
        ] as [(String, ImageFilter)])
    func aParameterIsTheFilterThatItNames(query: String, expected: ImageFilter) throws {
        let filters = try Self.filters(query)
        #expect(filters.first == .isHidden(false))
        #expect(filters.contains(expected), "\(filters)")
    }

    @Test("A list takes at most 64 filters, and in: at most 1000 words")
    func manyFilters() throws {
        let filter = Array(repeating: "tag=x", count: 64).joined(separator: "&")
        #expect(try Self.filters(filter + "&limit=5&sort=name").count { $0 == .tag("x") } == 64)
        let words = Array(repeating: "a", count: 1000).joined(separator: ",")
        #expect(try Self.filters("name=in:\(words)").count == 3)
        for query in [filter + "&tag=x", filter + "&colour=red", filter + "&size=5", "name=in:\(words),a"] {
            let error = #expect(throws: APIError.self) { try Self.filters(query) }
            #expect(error?.status == .badRequest && error?.message.contains("at most") == true)
        }
    }

    @Test("Parameters about visibility and sharing depend on the caller")
    func visibilityParametersDependOnTheCaller() throws {
        #expect(try Self.filters("os_hidden=True").first == .isHidden(true))
        #expect(try Self.filters("", Self.member).contains(.notVisibility(.community, unlessOwner: "mine")))
        #expect(try Self.filters("") == [.isHidden(false), .notVisibility(.community, unlessOwner: nil)])
        #expect(try Self.filters("visibility=community") == [.isHidden(false), .word(.visibility, ["community"])])
        #expect(try Self.filters("visibility=all", Self.member) == [.isHidden(false)])
        let query = try ImageListRequest("member_status=pending", by: Self.member).query
        #expect(query.scope == .project("mine", sharing: .pending))
        #expect(try ImageListRequest("member_status=all", by: Self.member).query.scope == .project("mine", sharing: nil))
        #expect(try ImageListRequest("", by: Self.member).query.scope == .project("mine", sharing: .accepted))
        #expect(try ImageListRequest("", by: .everybody).query.scope == .everything)
        #expect(try Self.filters("size_min=5&size_max=2").contains(.word(.id, [])), "nothing lies in an empty range")
    }

    @Test(
        "Both forms of a sort order are read",
        arguments: [
            ("", [ImageOrder(.createdAt, .descending)]), ("sort=name", [ImageOrder(.name, .descending)]),
            ("sort=name:asc,size:desc", [ImageOrder(.name, .ascending), ImageOrder(.size, .descending)]),
            ("sort_dir=asc", [ImageOrder(.createdAt, .ascending)]),
            (
                "sort_key=name&sort_key=size&sort_dir=asc",
                [ImageOrder(.name, .ascending), ImageOrder(.size, .ascending)]
            ),
            (
                "sort_key=name&sort_dir=asc&sort_key=size&sort_dir=desc",
                [ImageOrder(.name, .ascending), ImageOrder(.size, .descending)]
            ),
        ])
    func bothFormsOfASortOrderAreRead(query: String, expected: [ImageOrder]) throws {
        #expect(try ImageListRequest(query, by: .everybody).query.order == expected)
    }

    @Test(
        "The error for a malformed parameter names it",
        arguments: [
            "limit=x", "limit=-1", "marker=x", "sort=colour", "sort=name:up", "sort=name,", "sort=name&sort_key=size",
            "sort_key=colour", "sort_dir=up", "sort_key=name&sort_dir=asc&sort_dir=desc", "member_status=maybe",
            "visibility=secret", "os_hidden=maybe", "protected=maybe", "size_min=x", "status=fine", "name=gt:a", "name=in:%22a",
            "name=in:a,,b",
            "created_at=gt:yesterday", "created_at=in:2026-09-01T10:00:00Z", "min_disk=x", "changes-since=2026-09-01T10:00:00Z",
        ])
    func theErrorForAMalformedParameterNamesIt(query: String) {
        let error = #expect(throws: APIError.self) { try ImageListRequest(query, by: .everybody) }
        #expect(error?.status.code == 400)
        let name = query.prefix { $0 != "=" }
        #expect(error?.message.contains(name.prefix(4)) == true, "\(error?.message ?? "")")
    }

    @Test("The links of a page keep every parameter except the marker")
    func linksKeepEveryParameterExceptTheMarker() throws {
        let id = ImageID()
        let request = try ImageListRequest(
            "limit=2&name=in:a,b&tag=x&tag=y+z&sort=name:asc&marker=\(ImageID())", by: .everybody)
        #expect(request.first == "/v2/images?limit=2&name=in%3Aa%2Cb&tag=x&tag=y%20z&sort=name%3Aasc")
        #expect(request.next(behind: id) == request.first + "&marker=\(id)")
        let next = try ImageListRequest(
            String(request.next(behind: id).split(separator: "?")[1]), by: .everybody)
        #expect(next.query.filters == request.query.filters && next.query.order == request.query.order)
        #expect(next.query.marker == id)
        #expect(try ImageListRequest(nil, by: .everybody).first == "/v2/images")
        #expect(try ImageListRequest("limit=5000", by: .everybody).query.limit == 1000)
    }
}
