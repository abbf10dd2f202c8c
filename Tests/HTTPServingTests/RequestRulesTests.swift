import HTTPTypes
import NIOHTTP1
import Testing

@testable import HTTPServing

/// Which heads are refused, whatever the decoder before them lets through.
@Suite struct RequestRulesTests {
    private func head(_ fields: [(String, String)], version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: .POST, uri: "/", headers: HTTPHeaders([("Host", "a")] + fields))
    }

    @Test(
        "A request with two framings of its body is refused",
        arguments: [
            ([("Transfer-Encoding", "chunked")], nil), ([("Content-Length", "1")], nil),
            ([("Transfer-Encoding", "chunked"), ("Content-Length", "1")], 400),
            ([("Content-Length", "1"), ("Transfer-Encoding", "Chunked")], 400),
            ([("Transfer-Encoding", "gzip, chunked")], 501),
            ([("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")], 501),
            ([("Transfer-Encoding", "chunked, chunked")], 400), ([("Transfer-Encoding", "")], 400),
        ] as [([(String, String)], Int?)])
    func framing(fields: [(String, String)], status: Int?) {
        #expect(RequestRules.refusal(of: head(fields))?.status.code == status)
    }

    @Test("HTTP/1.0 has neither chunked bodies nor 100 Continue")
    func oldVersions() {
        #expect(RequestRules.refusal(of: head([("Transfer-Encoding", "chunked")], version: .http1_0))?.status.code == 400)
        let expecting = [("Expect", "100-continue")]
        #expect(RequestRules.isAwaitingContinue(head(expecting)))
        #expect(!RequestRules.isAwaitingContinue(head(expecting, version: .http1_0)))
        #expect(!RequestRules.isAwaitingContinue(head([])))
    }
}
