import Access
import Foundation
import HTTPTypes
import Hummingbird
import ImageModel
import Logging
import NIOCore
import Synchronization
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// What text in requests may hold, and how long it may be.
@Suite struct RequestTextTests {
    /// One character of `scalars` Unicode scalars.
    private static func character(of scalars: Int) -> String {
        let text = "e" + String(repeating: "\u{301}", count: scalars - 1)
        return text
    }

    private func create(_ fixture: APIFixture, _ members: [String: JSONValue]) async throws -> APIFixture.Answer {
        try await fixture.send(.post, "/v2/images", String(decoding: JSONValue.object(members).written(), as: UTF8.self))
    }

    @Test(
        "NUL in any string of a body is refused with 400, at any depth and in names of members",
        arguments: [
            ["name": "a\0"], ["tags": ["t", "\0"]], ["x": "\0"], ["x\0": "y"], ["owner": "\0"], ["disk_format": "raw\0"],
            ["id": "\0"], ["y": [["z": ["\0"]]]], ["y": ["z\0": []]],
        ] as [[String: JSONValue]])
    func nulInABody(members: [String: JSONValue]) async throws {
        let fixture = try APIFixture()
        let answer = try await create(fixture, members)
        #expect(answer.status == 400 && answer.text.contains("NUL"))
        #expect(try await fixture.send(.get, "/v2/images")["images"] == .array([]))
    }

    @Test(
        "A body that is not declared as JSON is refused with 415, also without a declaration",
        arguments: [
            (nil, 415), ("", 415), ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415),
            ("application/json", 201), ("Application/JSON; charset=utf-8", 201), ("application/x+json", 201),
        ] as [(String?, Int)])
    func mediaTypes(type: String?, status: Int) async throws {
        let answer = try await APIFixture().send(.post, "/v2/images", type: type, #"{"name": "a"}"#)
        #expect(answer.status == status)
    }

    @Test("NUL is found in every escaped form, and an escaped backslash before it is text")
    func escapesOfNUL() throws {
        for text in [#""\u0000""#, #"["a", {"b": "c\u0000d"}]"#, #"{"\u0000": 1}"#, #""\\\u0000""#] {
            #expect(throws: APIError.self) { try JSONValue(reading: text.utf8) }
        }
        #expect(try JSONValue(reading: #""\\u0000""#.utf8) == .string(#"\u0000"#))
    }

    @Test("NUL in a path or a query is refused with 400 on every route")
    func nulInAPath() async throws {
        let fixture = try APIFixture()
        let id = try await fixture.image(owner: nil)
        let paths: [(HTTPRequest.Method, String)] = [
            (.get, "/v2/images?name=a%00"), (.get, "/v2/images?%00=a"), (.get, "/v2/images?tag=%00"),
            (.put, "/v2/images/\(id)/tags/a%00b"), (.delete, "/v2/images/\(id)/tags/%00"),
            (.get, "/v2/images/\(id)/members/%00"), (.get, "/v2/images/%00"), (.get, "/v2/schemas/%00"),
            (.get, "/v2/tasks/%00"), (.get, "/v2/images/\(id)/file?disk_format=raw%00"), (.get, "/%00"),
            (.get, "/v2/images?name=%%00"), (.get, "/v2/images?name=%25%00"),
            (.get, "/v2/images?name=%00\u{301}"), (.put, "/v2/images/\(id)/tags/%00\u{301}"),
        ]
        for (method, path) in paths {
            let answer = try await fixture.send(method, path)
            #expect(answer.status == 400 && answer.text.contains("NUL"), "\(path): \(answer.text)")
        }
        #expect(try await fixture.send(.get, "/v2/images?name=a%2500").status == 200)
        #expect(try await fixture.send(.get, "/v2/images/\(id)")["tags"] == .array([]))
    }

    @Test("Names, tags and property names have at most 255 Unicode scalars, and values at most 64 KiB")
    func limits() async throws {
        let fixture = try APIFixture()
        let (fits, tooLong) = (Self.character(of: 255), Self.character(of: 256))
        #expect(tooLong.count == 1)
        let value = String(repeating: "\u{E4}", count: 32_768)
        for members: [String: JSONValue] in [
            ["name": .string(fits)], ["tags": [.string(fits)]], [fits: "x"], ["x": .string(value)], ["x": ""],
        ] {
            #expect(try await create(fixture, members).status == 201)
        }
        for members: [String: JSONValue] in [
            ["name": .string(tooLong)], ["tags": [.string(tooLong)]], [tooLong: "x"], ["x": .string(value + "y")],
            ["x": .string(Self.character(of: 40_000))], ["owner": .string(tooLong)],
        ] {
            let answer = try await create(fixture, members)
            #expect(answer.status == 400)
            #expect(answer.text.utf8.count < 2000, "an error does not repeat what was too long")
        }
    }

    @Test("The same limits apply to patches, tags in paths, members and locations")
    func limitsElsewhere() async throws {
        let fixture = try APIFixture()
        let id = try await fixture.image(owner: nil)
        let tooLong = Self.character(of: 256)
        let escaped = PercentEncoding.encode(tooLong)
        #expect(try await fixture.send(.put, "/v2/images/\(id)/tags/\(escaped)").status == 400)
        #expect(
            try await fixture.send(.put, "/v2/images/\(id)/tags/\(PercentEncoding.encode(Self.character(of: 255)))").status
                == 204)
        #expect(try await fixture.send(.post, "/v2/images/\(id)/members", #"{"member": "\#(tooLong)"}"#).status == 400)
        let url = "http://127.0.0.1:1/\(tooLong)"
        #expect(try await fixture.send(.post, "/v2/images/\(id)/locations", #"{"url": "\#(url)"}"#).status == 400)
        for (path, value) in [("/name", tooLong), ("/\(tooLong)", "x"), ("/x", Self.character(of: 40_000))] {
            let patch = #"[{"op": "add", "path": "\#(path)", "value": "\#(value)"}]"#
            let answer = try await fixture.send(.patch, "/v2/images/\(id)", type: ImagePatch.Draft.ten.rawValue, patch)
            #expect(answer.status == 400 && answer.text.utf8.count < 2000)
        }
    }

    @Test("Free fields of Baton's own requests have the same limits")
    func remainingStrings() throws {
        for fields: [String: JSONValue] in [
            [Self.character(of: 256): "x"], ["x": .string(Self.character(of: 40_000))], ["x": 1],
        ] {
            var object = RequestObject(fields: fields)
            #expect(throws: APIError.self) { try object.remainingStrings(of: "metadata") }
        }
        var object = RequestObject(fields: ["reason": .string(Self.character(of: 1001))])
        #expect(throws: APIError.self) { try object.string("reason", limit: 1000) }
    }

    @Test("A message repeats only a limited excerpt of a text")
    func excerpts() async throws {
        let long = Self.character(of: 100_000)
        #expect(long.excerpt(64).unicodeScalars.count == 64 && "ab".excerpt(64) == "ab" && "abc".excerpt(2) == "ab")
        let fixture = try APIFixture()
        let query = PercentEncoding.encode(Self.character(of: 10_000))
        for path in ["sort_key=\(query)", "sort=name:\(query)", "status=\(query)", "sort_dir=\(query)"] {
            let answer = try await fixture.send(.get, "/v2/images?\(path)")
            #expect(answer.status == 400 && answer.text.utf8.count < 2000, "\(path.prefix(20))")
        }
        #expect(try await fixture.send(.get, "/v2/schemas/\(query)").text.utf8.count < 2000)
    }

    @Test(
        "A content type that browsers send to any site is not JSON, whatever follows its semicolon",
        arguments: [
            "application/x-www-form-urlencoded;+json", "application/x-www-form-urlencoded;\u{301}+json",
            "application/x-www-form-urlencoded;\u{301};+json", "text/plain;\u{301}+json",
        ])
    func contentTypes(type: String) async throws {
        let fixture = try APIFixture()
        #expect(try await fixture.send(.post, "/v2/images", type: type, "{}").status == 415)
        #expect(try await fixture.send(.post, "/v2/images", type: "application/json;\u{301}", "{}").status == 201)
    }

    @Test("A path in a patch is split at its slashes, whatever follows them")
    func pointers() throws {
        #expect(try JSONPointer("/a/\u{301}b").names == ["a", "\u{301}b"])
        #expect(try JSONPointer("/\u{301}").names == ["\u{301}"])
        #expect(try JSONPointer("/a~1\u{301}").names == ["a/\u{301}"])
        #expect(throws: APIError.self) { try JSONPointer("/a~\u{301}") }
    }

    @Test("A reserved property name stays reserved with a combining mark after it")
    func reservedNames() async throws {
        let fixture = try APIFixture()
        #expect(try await create(fixture, ["os_glance\u{301}": "x"]).status == 403)
        #expect(try await create(fixture, ["os_glance_x": "x"]).status == 403)
    }

    @Test("The log limits a path by its Unicode scalars, not by its characters")
    func loggedPaths() throws {
        let paths = Paths()
        let logger = Logger(label: "test") { _ in PathHandler(paths: paths) }
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "baton", path: "/" + Self.character(of: 100_000), headerFields: [:])
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        RequestRecord().log(request, route: nil, status: .ok, length: 0, created: nil, took: .zero, to: logger)
        #expect(try #require(paths.lines.withLock { $0.first }).unicodeScalars.count == 1024)
    }
}

/// Keeps the path of each line.
private final class Paths: Sendable {
    let lines = Mutex<[String]>([])
}

private struct PathHandler: LogHandler {
    let paths: Paths
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if let path = event.metadata?["path"] { paths.lines.withLock { $0.append("\(path)") } }
    }
}
