import AdminContract
import CurlTransfer
import FaultyOrigin
import Foundation
import ImageModel
import Testing

@testable import BatonClient

/// A command whose server does not answer.
@Suite(.timeLimit(.minutes(5)))
struct EndpointTests {
    @Test("A request times out when the server accepts it and never answers")
    func aRequestTimesOutWhenTheServerNeverAnswers() async throws {
        // It takes the request and sends not even a head.
        let silent = try FaultyOrigin(PatternedContent(size: 10, seed: 1)) { _ in .slowFirstByte(.seconds(3600)) }
        let loop = TransferLoop()
        defer {
            silent.stop()
            loop.stop()
        }
        var endpoint = Endpoint(url: silent.url(""), token: nil, loop: loop)
        endpoint.timeout = .milliseconds(200)
        let error = await #expect(throws: ClientError.self) { try await endpoint.send("HEAD", "/v2/images/x/file") }
        #expect(error?.kind == .unreachable)
        #expect(silent.record.requests.count == 1)
    }
}

/// Lists that a server gives page by page.
@Suite struct PagedListTests {
    /// An item that may be any object.
    private struct Thing: ListedDocument {
        static let listName = "things"
        var textSize: Int { 2 }
    }

    private func page(_ text: String) -> Exchange.Answer {
        Exchange.Answer(head: ResponseHead(status: 200, fields: []), body: Array(text.utf8))
    }

    @Test("The document has every item of every page unchanged, and no link to a next page")
    func document() throws {
        var list = PagedList<Thing>()
        var links: [String?] = []
        for page in [
            page(#"{"things": [{"id": 1, "new": null}, {"id": 9007199254740993}], "schema": "s", "next": "/2"}"#),
            page(#"{"things": [], "next": "/3"}"#), page(#"{"things": [{"id": 1.5, "on": true, "tags": ["a"]}]}"#),
        ] {
            links.append(try list.add(page))
        }
        #expect(links == ["/2", "/3", nil] && list.items.count == 3)
        let expected: JSONValue = .object([
            "schema": .string("s"),
            "things": .array([
                .object(["id": .integer(1), "new": .null]), .object(["id": .integer(9_007_199_254_740_993)]),
                .object(["id": .number(1.5), "on": .boolean(true), "tags": .array([.string("a")])]),
            ]),
        ])
        #expect(list.document == expected)
        let text =
            #"{"schema":"s","things":[{"id":1,"new":null},{"id":9007199254740993},{"id":1.5,"on":true,"tags":["a"]}]}"#
        #expect(try String(decoding: list.document.written(), as: UTF8.self) == text)
    }

    @Test("A page that is not an object is an error")
    func invalidInput() {
        var list = PagedList<Thing>()
        #expect(throws: ClientError.self) { try list.add(page("[]")) }
    }
}
