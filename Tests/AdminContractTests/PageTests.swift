import AdminContract
import Foundation
import ImageModel
import Testing

/// The JSON of backends, uploads, pages and errors, and the paths.
@Suite struct PageTests {
    private let upload = UploadDocument(
        backend: BackendID("disk"), path: "a", image: "a", owner: nil, size: 5, state: UploadDocument.unknownState,
        isOrphan: true, createdAt: nil, expiresAt: nil)
    private let uploadText = """
        {"backend":"disk","created_at":null,"expires_at":null,"image":"a","orphaned":true,"owner":null,"path":"a",
        "size":5,"state":"unknown"}
        """

    @Test("A page has the list under its name, and the path of the next page unless it is the last one")
    func pages() throws {
        try expect(Page([upload]), is: "{\"uploads\":[\n\(uploadText)\n]}")
        try expect(
            Page([upload], next: "/baton/v1/uploads?marker=a"),
            is: "{\"next\":\"/baton/v1/uploads?marker=a\",\n\"uploads\":[\n\(uploadText)\n]}")
        try expect(Page<LocationDocument>([]), is: #"{"locations":[]}"#)
        try expect(Page<HistoryDocument>([]), is: #"{"history":[]}"#)
        try expect(Page<BackendDocument>([]), is: #"{"backends":[]}"#)
    }

    @Test("An upload has its owner and its times if they are known")
    func uploads() throws {
        try expect(
            UploadDocument(
                backend: BackendID("disk"), path: "p", image: "i", owner: "o", size: 0, state: "stored", isOrphan: false,
                createdAt: DocumentFixture.time, expiresAt: DocumentFixture.time + 1),
            is: """
                {"backend":"disk","created_at":"2026-09-01T10:00:00Z","expires_at":"2026-09-01T10:00:01Z","image":"i",
                "orphaned":false,"owner":"o","path":"p","size":0,"state":"stored"}
                """)
    }

    @Test("A backend has its measurements, which are null while there are none")
    func backends() throws {
        let open = BackendDocument.Breaker(state: "open", failures: 5, probeDueAt: DocumentFixture.time)
        try expect(
            BackendDocument(
                id: BackendID("b"), url: "http://b/", running: 2, firstByteSeconds: 0.25, bytesPerSecond: 1e6,
                restsUntil: DocumentFixture.time, breaker: open),
            is: """
                {"breaker":{"failures":5,"probe_due_at":"2026-09-01T10:00:00Z","state":"open"},"bytes_per_second":1000000,
                "first_byte_seconds":0.25,"id":"b","rests_until":"2026-09-01T10:00:00Z","running":2,"url":"http://b/"}
                """)
        let closed = BackendDocument.Breaker(state: "closed", failures: 0, probeDueAt: nil)
        try expect(
            BackendDocument(
                id: BackendID("b"), url: "http://b/", running: 0, firstByteSeconds: nil, bytesPerSecond: nil,
                restsUntil: nil, breaker: closed),
            is: """
                {"breaker":{"failures":0,"probe_due_at":null,"state":"closed"},"bytes_per_second":null,
                "first_byte_seconds":null,"id":"b","rests_until":null,"running":0,"url":"http://b/"}
                """)
    }

    @Test("An error has a code, a title and a message, and keeps further members")
    func errors() throws {
        try expect(
            ErrorDocument(.init(code: 404, title: "Not Found", message: "There is no image x.")),
            is: #"{"error":{"code":404,"message":"There is no image x.","title":"Not Found"}}"#)
        try expect(
            ErrorDocument(.init(code: 503, title: "Busy", message: "No.", details: ["locations": [["id": "1"]]])),
            is: #"{"error":{"code":503,"locations":[{"id":"1"}],"message":"No.","title":"Busy"}}"#)
    }

    @Test("The error of another server is read if it has a message")
    func foreignErrors() throws {
        let document = try JSONDecoder().decode(ErrorDocument.self, from: Data(#"{"error":{"message":"m","x":1}}"#.utf8))
        #expect(document.error.message == "m" && document.error.code == nil && document.error.details == ["x": 1])
        for text in [#"{"error":{"code":1}}"#, #"{"error":"m"}"#, #"{"message":"m"}"#, "[]"] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(ErrorDocument.self, from: Data(text.utf8))
            }
        }
    }

    @Test("A text that is not a time is an error")
    func times() {
        for text in ["yesterday", "", "2026-13-01T00:00:00Z"] {
            #expect(throws: (any Error).self) { try JSONDecoder().decode([Timestamp].self, from: Data("[\"\(text)\"]".utf8)) }
        }
    }

    @Test("A path names an id or the parameter of a route, and escapes its query")
    func paths() {
        let id = DocumentFixture.location
        #expect(AdminPath.location(id) == "/baton/v1/locations/\(id)")
        #expect(AdminPath.history(of: id) == "/baton/v1/locations/\(id)/history")
        #expect(AdminPath.operation(.restore, on: AdminPath.idParameter) == "/baton/v1/locations/:id/restore")
        #expect(AdminPath.locations(of: "x") == "/baton/v1/images/x/locations")
        #expect(AdminPath.explain("x") == "/baton/v1/images/x/explain")
        #expect(AdminPath.direct("x") == "/baton/v1/images/x/direct")
        #expect(AdminPath.path(AdminPath.backends, query: []) == "/baton/v1/backends")
        #expect(
            AdminPath.path(AdminPath.uploads, query: [(.limit, "1"), (.marker, "a b&ö"), (.purpose, "range")])
                == "/baton/v1/uploads?limit=1&marker=a%20b%26%C3%B6&for=range")
    }

    @Test("Each operation is named as the event that it causes")
    func operations() {
        for name in OperationName.allCases { #expect(name.event.rawValue == name.rawValue) }
    }
}
