import Glibc
import HTTPTypes
import Hummingbird
import ImageModel
import NIOCore
import Synchronization
import Testing

@testable import HTTPServing

/// Lists that end by their bytes.
@Suite struct JSONPageTests {
    private let items = (0..<10).map { "\($0)" + String(repeating: "x", count: 100) }

    private func text(_ page: JSONPage, _ members: [String: JSONValue] = [:]) throws -> JSONValue {
        let response = try page.response("items", members)
        #expect(response.headers[.contentType] == "application/json")
        return try JSONValue(reading: try page.written("items", members).readableBytesView)
    }

    private func fill(_ page: inout JSONPage, _ items: [String]) async throws -> String? {
        try await page.fill(with: items, for: "somebody", on: .shared) { JSONValue.string($0) }
    }

    @Test("A page holds the items that fit, but at least one, and names its last item")
    func pageEndsByItsBytes() async throws {
        var page = JSONPage(limit: 350)
        #expect(try await fill(&page, items) == items[2])
        #expect(page.count == 3)
        #expect(try text(page, ["next": "here"]) == ["items": .array(items.prefix(3).map { .string($0) }), "next": "here"])
        var small = JSONPage(limit: 1)
        #expect(try await fill(&small, items) == items[0])
        var whole = JSONPage()
        #expect(try await fill(&whole, items) == nil)
        #expect(try text(whole) == ["items": .array(items.map { .string($0) })])
        #expect(try text(JSONPage()) == ["items": []])
    }

    @Test("A large page is written on the pool's threads, and a small one on the caller's thread")
    func largePagesLeaveTheSharedThreads() async throws {
        let pool = ComputePool(threads: 1, limit: 1)
        let ownThread = try await pool.read(for: "somebody") { pthread_self() }
        let item = String(repeating: "x", count: 4000)
        for (count, isLarge) in [(3, false), (10, true)] {
            let threads = Mutex<[pthread_t]>([])
            var page = JSONPage()
            let last = try await page.fill(with: Array(repeating: item, count: count), for: "somebody", on: pool) { text in
                threads.withLock { $0.append(pthread_self()) }
                return JSONValue.string(text)
            }
            #expect(last == nil && page.count == count)
            #expect((threads.withLock { $0.last } == ownThread) == isLarge)
        }
        let one = String(repeating: "x", count: 100_000)
        let threads = Mutex<[pthread_t]>([])
        var page = JSONPage()
        _ = try await page.fill(with: [one], for: "somebody", on: pool) { text in
            threads.withLock { $0.append(pthread_self()) }
            return JSONValue.string(text)
        }
        #expect(threads.withLock { $0.last } == ownThread && page.count == 1)
    }

    @Test("Escape sequences count towards a page's size")
    func escapesCount() async throws {
        var page = JSONPage(limit: 1000)
        let hostile = Array(repeating: String(repeating: "\u{1}", count: 100), count: 10)
        _ = try await fill(&page, hostile)
        #expect(page.count == 1)
    }

    @Test("A list continues after any marker, and an unknown marker is an error")
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
