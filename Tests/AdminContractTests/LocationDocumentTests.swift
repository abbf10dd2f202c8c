import AdminContract
import Foundation
import ImageModel
import Testing

/// The JSON of locations, of their history, and of the requests about them.
@Suite struct LocationDocumentTests {
    private static let fullText = """
        "backend":"north","computed":["md5"],"container_format":"bare","created_at":"2026-09-01T10:00:00Z",
        "digests":{"md5":"d41d8cd98f00b204e9800998ecf8427e"},"disk_format":"qcow2","expires_at":"2026-09-01T10:00:02Z",
        "id":"00000000-0000-4000-8000-000000000002","identified":true,"image":"00000000-0000-4000-8000-000000000001",
        "legal_events":["probed","verify","delete"],"metadata":{"zone":"ö/1"},"next_read_at":"2026-09-01T10:00:01Z",
        """
    private static let fullEnd = """
        "size":7,"status":"pending","suspect":true,"tier":2,"url":"http://north/a%20b","validator":"\\"v\\"",
        "verified_at":"2026-09-01T10:00:00Z","weight":-3
        """
    private static let newText = """
        {"backend":"north","computed":[],"container_format":"bare","created_at":"2026-09-01T10:00:00Z","digests":{},
        "disk_format":"raw","expires_at":null,"id":"00000000-0000-4000-8000-000000000002","identified":false,
        "image":"00000000-0000-4000-8000-000000000001","legal_events":["probed","verify","delete"],"metadata":{},
        "next_read_at":null,"size":null,"status":"pending","suspect":false,"tier":0,"url":"http://north/x",
        "validator":null,"verified_at":null,"weight":0}
        """

    @Test("A location has all of its members, with a problem if it is known")
    func location() throws {
        let location = try DocumentFixture.fullLocation()
        try expect(LocationDocument(location), is: "{\(Self.fullText)\n\(Self.fullEnd)}")
        let failed = LocationDocument(location, problem: "missing: HTTP status 404")
        try expect(failed, is: "{\(Self.fullText)\n\"problem\":\"missing: HTTP status 404\",\n\(Self.fullEnd)}")
        #expect(failed.cause == "missing" && LocationDocument(location).cause == nil)
    }

    @Test("An unknown value of a location is null, and an unknown problem is absent")
    func unknownValues() throws {
        try expect(LocationDocument(DocumentFixture.newLocation()), is: Self.newText)
    }

    @Test("A location that is shown alone has the position of its read, which is null without a read")
    func detail() throws {
        let location = LocationDocument(try DocumentFixture.fullLocation())
        let start = "{\(Self.fullText)\n"
        let end = ",\n\(Self.fullEnd)}"
        try expect(LocationDetail(location, readPosition: 4096), is: start + "\"read_position\":4096" + end)
        try expect(LocationDetail(location, readPosition: nil), is: start + "\"read_position\":null" + end)
    }

    @Test("A location is read without members that may be null and with members of a later version")
    func tolerance() throws {
        let text = Self.newText.replacingOccurrences(of: #""size":null"#, with: #""later":{"a":[1]}"#)
            .replacingOccurrences(of: #","validator":null,"verified_at":null"#, with: "")
            .replacingOccurrences(of: #""status":"pending""#, with: #""status":"moving""#)
        let document = try JSONDecoder().decode(LocationDocument.self, from: Data(text.utf8))
        #expect(document.size == nil && document.validator == nil && document.status == "moving")
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LocationDocument.self, from: Data(#"{"id":"x"}"#.utf8))
        }
    }

    @Test("The estimated size of a location counts its texts")
    func textSize() throws {
        var location = DocumentFixture.newLocation()
        location.metadata = ["note": String(repeating: "x", count: 50_000)]
        let document = LocationDocument(location)
        let written = try document.written().count
        #expect(abs(document.textSize - written) < 500)
    }

    @Test("An entry of the history has a time, an event, two statuses, an actor and a reason")
    func history() throws {
        try expect(
            HistoryDocument(
                time: DocumentFixture.time, event: .probed, from: .pending, to: .active, actor: "baton", reason: "a read"),
            is: """
                {"actor":"baton","event":"probed","from":"pending","reason":"a read","time":"2026-09-01T10:00:00Z",
                "to":"active"}
                """)
    }

    @Test("A registration leaves out what the caller does not give")
    func registration() throws {
        try expect(LocationRegistration(url: "http://north/x"), is: #"{"url":"http://north/x"}"#)
        try expect(
            LocationRegistration(
                url: "http://north/x", diskFormat: "raw", containerFormat: "bare", size: 0,
                digests: ["md5": DocumentFixture.md5], weight: 1, tier: 2, metadata: ["a": "b"]),
            is: """
                {"container_format":"bare","digests":{"md5":"d41d8cd98f00b204e9800998ecf8427e"},"disk_format":"raw",
                "metadata":{"a":"b"},"size":0,"tier":2,"url":"http://north/x","weight":1}
                """)
        #expect(
            LocationRegistration.CodingKeys.sentence
                == "url, disk_format, container_format, size, digests, weight, tier and metadata")
    }

    @Test("A change and an operation leave out what the caller does not give")
    func changes() throws {
        try expect(LocationChange(), is: "{}")
        try expect(
            LocationChange(weight: 1, tier: 0, metadata: [:], reason: "why"),
            is: #"{"metadata":{},"reason":"why","tier":0,"weight":1}"#)
        #expect(LocationChange.CodingKeys.sentence == "weight, tier, metadata and reason")
        try expect(OperationRequest(), is: "{}")
        try expect(OperationRequest(reason: "why", force: true), is: #"{"force":true,"reason":"why"}"#)
        #expect(OperationRequest.CodingKeys.sentence == "reason and force")
    }
}
