import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import ImageAPI

/// Lists that end by their bytes.
@Suite struct JSONPageTests {
    private let items = (0..<10).map { "\($0)" + String(repeating: "x", count: 100) }

    private func text(_ page: JSONPage, _ members: [String: JSONValue] = [:]) throws -> JSONValue {
        let response = try page.response("items", members)
        #expect(response.headers[.contentType] == "application/json")
        return try JSONValue(reading: try page.written("items", members).readableBytesView)
    }

    @Test("A page holds what fits, names its last item, and one item at least")
    func pageEndsByItsBytes() throws {
        var page = JSONPage(limit: 350)
        #expect(try page.fill(with: items) { .string($0) } == items[2])
        #expect(page.count == 3)
        #expect(try text(page, ["next": "here"]) == ["items": .array(items.prefix(3).map { .string($0) }), "next": "here"])
        var small = JSONPage(limit: 1)
        #expect(try small.fill(with: items) { .string($0) } == items[0])
        var whole = JSONPage()
        #expect(try whole.fill(with: items) { .string($0) } == nil)
        #expect(try text(whole) == ["items": .array(items.map { .string($0) })])
        #expect(try text(JSONPage()) == ["items": []])
    }

    @Test("What escapes make of a text counts")
    func escapesCount() throws {
        var page = JSONPage(limit: 1000)
        let hostile = Array(repeating: String(repeating: "\u{1}", count: 100), count: 10)
        _ = try page.fill(with: hostile) { .string($0) }
        #expect(page.count == 1)
    }

    @Test("A list goes on behind its marker, whatever stands in it, and an unknown marker is an error")
    func markers() throws {
        let names = ["a", "b&c=d e", "ä", "z"]
        var rest = try Marker.rest(of: names, QueryItems(nil)) { $0 }
        var seen: [String] = []
        while let first = rest.first {
            seen.append(first)
            let next = try #require(Marker.next("/list", behind: first).text)
            #expect(next.hasPrefix("/list?marker="))
            rest = try Marker.rest(of: names, QueryItems(String(next.dropFirst("/list?".count)))) { $0 }
        }
        #expect(seen == names)
        #expect(throws: APIError.self) { try Marker.rest(of: names, QueryItems("marker=q")) { $0 } }
    }
}
