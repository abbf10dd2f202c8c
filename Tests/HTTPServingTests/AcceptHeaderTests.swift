import Testing

@testable import HTTPServing

/// Which clients get a document, and which get the bytes.
@Suite struct AcceptHeaderTests {
    private static let document = "application/metalink4+xml"
    private static let bytes = "application/octet-stream"

    @Test(
        "A client gets the document if its Accept header prefers it",
        arguments: [
            "application/metalink4+xml", "Application/Metalink4+XML", "application/metalink4+xml, */*;q=0.9",
            "*/*;q=0.1,application/metalink4+xml", "application/metalink4+xml;q=0.5, application/octet-stream;q=0.499",
            "text/html;level=\"a,b;q=0\", application/metalink4+xml", "application/octet-stream;q=0, */*",
            "application/metalink4+xml ; charset=utf-8 ; Q=0.3", "application/metalink4+xml;q=0.001",
            "application/*;q=0.2, application/metalink4+xml;q=1.000",
        ])
    func aClientGetsTheDocumentIfItPrefersIt(field: String) {
        #expect(AcceptHeader(field).prefers(Self.document, to: Self.bytes))
    }

    @Test(
        "A client gets the bytes if its Accept header does not prefer the document",
        arguments: [
            nil, "", "*/*", "application/*", "application/json",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            // What aria2 sends by default.
            "*/*,application/metalink4+xml,application/metalink+xml",
            "application/metalink4+xml;q=0", "application/metalink4+xml;q=0, application/octet-stream",
            "application/metalink4+xml;q=0.4, application/octet-stream;q=0.5", "application/metalink+xml", "metalink4+xml",
            "application/metalink4+xml;q=2", "application/metalink4+xml;q=-1", "application/metalink4+xml;q=0.1234",
            "application/metalink4+xml;q=", "application/metalink4+xml;q=1.001", "\"application/metalink4+xml", ",;,/,;q=1",
            "application/metalink4+xml;q=0.5, application/*",
        ] as [String?])
    func aClientGetsTheBytesIfItDoesNotPreferTheDocument(field: String?) {
        #expect(!AcceptHeader(field).prefers(Self.document, to: Self.bytes))
    }

    @Test("The most specific range of an Accept header decides a type's weight")
    func theMostSpecificRangeDecidesATypesWeight() {
        let header = AcceptHeader("*/*;q=0.1, application/*;q=0.25, application/metalink4+xml;q=0.5, text/plain;q=0")
        #expect(header.weight(of: "application/metalink4+xml") == 500)
        #expect(header.weight(of: "application/octet-stream") == 250)
        #expect(header.weight(of: "image/png") == 100)
        #expect(header.weight(of: "text/plain") == 0)
        #expect(AcceptHeader(nil).weight(of: "image/png") == 1000 && AcceptHeader("").weight(of: "image/png") == 0)
    }
}
