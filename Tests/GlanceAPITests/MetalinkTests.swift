import Access
import BackendKit
import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Integrity
import RelayEngine
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// Which requests get a Metalink document, and what it contains.
@Suite(.timeLimit(.minutes(5))) struct MetalinkTests {
    private static let reader = Caller(user: "r", project: "mine", roles: [.reader])
    private static let type: HTTPFields = [.accept: "application/metalink4+xml"]
    private static let bytesTag = "\"sha256-\(DirectImages.digest)\""

    private static func own(_ image: ImageID) -> String {
        "http://baton/v2/images/\(image)/file?disk_format=raw&container_format=bare&metalink=false"
    }

    /// The URLs that a document names, in the order of their priority.
    private static func urls(in text: String) -> [String] {
        text.matches(of: /<url priority="(\d+)">([^<]*)<\/url>/)
            .sorted { Int($0.1) ?? 0 < Int($1.1) ?? 0 }.map { String($0.2).replacingOccurrences(of: "&amp;", with: "&") }
    }

    /// Chunks of a byte each: 1234 of them are more than a page.
    private static func addManifest(
        to image: ImageID, in fixture: APIFixture, filledWith byte: UInt8 = 0xC4, brokenPage: Int? = nil
    ) async throws {
        let resolution = try #require(try await fixture.catalog.resolve(image, format: RequestedFormat()))
        let representation = try #require(resolution.representation)
        let layout = try #require(ChunkLayout(size: representation.size, chunkSize: 1))
        let digests = [UInt8](repeating: byte, count: layout.count * 32)
        var pages = try #require(Manifest(layout: layout, digests: digests)).pages
        if let brokenPage {
            let page = pages[brokenPage]
            pages[brokenPage] = ManifestPage(number: page.number, digests: page.digests, seal: [UInt8](repeating: 0, count: 32))
        }
        #expect(try await fixture.catalog.addManifest(layout, pages: pages, of: representation, at: .now))
    }

    @Test("A reader gets only Baton's own URL, and the pieces one manifest page at a time")
    func aReaderGetsOnlyBatonsURLAndThePieces() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        try await Self.addManifest(to: image, in: fixture)
        let path = "/v2/images/\(image)/file"
        let answer = try await fixture.send(.get, path, as: Self.reader, headers: Self.type)
        #expect(answer.status == 200 && answer.headers[.contentType] == "application/metalink4+xml")
        #expect(answer.headers[.contentLength] == String(answer.text.utf8.count))
        #expect(
            answer.headers[.vary] == "Accept" && answer.headers[.cacheControl] == nil && answer.headers[.acceptRanges] == "none"
        )
        #expect(Self.urls(in: answer.text) == [Self.own(image)])
        #expect(
            answer.text.contains("<file name=\"n\">\n<size>1234</size>\n<hash type=\"sha-256\">\(DirectImages.digest)</hash>"))
        #expect(answer.text.contains("<hash type=\"md5\">bbbb"))
        #expect(answer.text.contains("<pieces length=\"1\" type=\"sha-256\">\n<hash>c4c4"))
        #expect(answer.text.split(separator: "<hash>\(String(repeating: "c4", count: 32))</hash>").count == 1235)
        #expect(answer.pieces.count == 4 && answer.pieces[1].count == 1024 * 78 && answer.pieces[2].count == 210 * 78)

        let head = try await fixture.send(.head, path, as: Self.reader, headers: Self.type)
        for name in [HTTPField.Name.contentType, .contentLength, .eTag, .vary, .acceptRanges] {
            #expect(head.headers[name] == answer.headers[name] && head.headers[name] != nil, "\(name)")
        }
        #expect(head.status == 200 && head.text.isEmpty)
    }

    @Test("A trusted caller gets healthy locations first, then Baton, and then the others")
    func aTrustedCallerGetsHealthyLocationsFirst() async throws {
        let fixture = try DirectImages.fixture()
        let (image, ids) = try await DirectImages.image(
            [
                .init(backend: "plain"), .init(backend: "signed"), .init(backend: "closed"), .init(backend: "leaky"),
                .init(backend: "plain", isVerified: false),
            ], in: fixture)
        func told() async throws -> APIFixture.Answer {
            try await fixture.send(.get, "/v2/images/\(image)/file", as: DirectImages.trusted, headers: Self.type)
        }
        let (plain, signed) = ("http://127.0.0.1:1/plain/x0", "https://store/b/x1?e=600")
        let answer = try await told()
        #expect(Self.urls(in: answer.text) == [plain, signed, Self.own(image)])
        #expect(answer.headers[.cacheControl] == "no-store" && answer.headers[.vary] == "Accept")
        fixture.relays.health.locationFailed(ids[0], in: BackendID("b"), AttemptFailure(.connect, .backend, detail: "refused"))
        #expect(Self.urls(in: try await told().text) == [signed, Self.own(image), plain])
    }

    @Test("A client that does not prefer the document gets the bytes")
    func aClientThatDoesNotPreferTheDocumentGetsTheBytes() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        let path = "/v2/images/\(image)/file"
        for accept in [nil, "*/*", "*/*,application/metalink4+xml,application/metalink+xml", "application/json"] {
            let headers: HTTPFields = accept.map { [.accept: $0] } ?? [:]
            let answer = try await fixture.send(.head, path, as: Self.reader, headers: headers)
            #expect(answer.headers[.contentType] == "application/octet-stream" && answer.headers[.eTag] == Self.bytesTag)
            #expect(answer.headers[.vary] == "Accept" && answer.headers[.contentLength] == "1234")
        }
        let sent = try await fixture.send(.get, "\(path)?direct=true", as: DirectImages.trusted)
        #expect(sent.status == 307 && sent.headers[.vary] == "Accept")
    }

    @Test("The query parameter overrides the Accept header")
    func theQueryParameterOverridesTheAcceptHeader() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        let path = "/v2/images/\(image)/file"
        let bytes = try await fixture.send(.head, "\(path)?metalink=false", as: Self.reader, headers: Self.type)
        #expect(bytes.headers[.contentType] == "application/octet-stream")
        let document = try await fixture.send(.get, "\(path)?metalink=true", as: Self.reader, headers: [.accept: "*/*"])
        #expect(document.headers[.contentType] == "application/metalink4+xml" && document.text.hasSuffix("</metalink>\n"))
        #expect(try await fixture.send(.get, "\(path)?metalink=4", as: Self.reader).status == 400)
    }

    @Test("The document has an entity tag of its own, which changes with its pieces")
    func theDocumentHasAnEntityTagOfItsOwn() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        func answer(ifNoneMatch tag: String? = nil) async throws -> APIFixture.Answer {
            var headers = Self.type
            headers[.ifNoneMatch] = tag
            return try await fixture.send(.get, "/v2/images/\(image)/file", as: Self.reader, headers: headers)
        }
        let bare = try #require(try await answer().headers[.eTag])
        #expect(try await answer().headers[.eTag] == bare && bare != Self.bytesTag)
        let unchanged = try await answer(ifNoneMatch: bare)
        #expect(unchanged.status == 304 && unchanged.headers[.vary] == "Accept" && unchanged.text.isEmpty)
        #expect(try await answer(ifNoneMatch: Self.bytesTag).status == 200)

        var tags = [bare]
        for byte in [1, 2] as [UInt8] {
            try await Self.addManifest(to: image, in: fixture, filledWith: byte)
            let changed = try await answer(ifNoneMatch: tags.joined(separator: ", "))
            #expect(changed.status == 200)
            tags.append(try #require(changed.headers[.eTag]))
            let manifest = try await fixture.catalog.resolve(image, format: RequestedFormat())?.manifest
            #expect(try await fixture.catalog.forgetManifest(try #require(manifest)))
        }
        #expect(Set(tags).count == 3)
    }

    @Test("A manifest whose first page is damaged is left out and deleted")
    func aManifestWithADamagedFirstPageIsLeftOut() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        try await Self.addManifest(to: image, in: fixture, brokenPage: 0)
        let answer = try await fixture.send(.get, "/v2/images/\(image)/file", as: Self.reader, headers: Self.type)
        #expect(answer.status == 200 && !answer.text.contains("pieces") && answer.text.hasSuffix("</metalink>\n"))
        #expect(answer.headers[.contentLength] == String(answer.text.utf8.count))
        #expect(try await fixture.catalog.resolve(image, format: RequestedFormat())?.manifest == nil)
    }

    @Test("A manifest whose later page is damaged ends the document short of its length")
    func aDamagedLaterPageCutsTheDocumentShort() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        try await Self.addManifest(to: image, in: fixture, brokenPage: 1)
        await #expect(throws: (any Error).self) {
            try await fixture.send(.get, "/v2/images/\(image)/file", as: Self.reader, headers: Self.type)
        }
        let again = try await fixture.send(.get, "/v2/images/\(image)/file", as: Self.reader, headers: Self.type)
        #expect(again.status == 200 && !again.text.contains("pieces"))
    }

    /// The hold is about locations: the manifest was made from bytes that matched, and the suspect is not named.
    @Test("During an integrity hold the pieces are listed, and the suspect is not")
    func duringAHoldPiecesAreListedAndTheSuspectIsNot() async throws {
        let fixture = try DirectImages.fixture()
        let entries: [DirectImages.Entry] = [.init(backend: "signed", isSuspect: true), .init(backend: "plain")]
        let (image, _) = try await DirectImages.image(entries, in: fixture)
        try await Self.addManifest(to: image, in: fixture)
        let answer = try await fixture.send(.get, "/v2/images/\(image)/file", as: DirectImages.trusted, headers: Self.type)
        #expect(answer.text.contains("<pieces"))
        #expect(Self.urls(in: answer.text) == ["http://127.0.0.1:1/plain/x1", Self.own(image)])
    }

    @Test("A representation with a digest conflict has no pieces")
    func aRepresentationWithADigestConflictHasNoPieces() async throws {
        let fixture = try DirectImages.fixture()
        let (image, ids) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        try await Self.addManifest(to: image, in: fixture)
        try await fixture.catalog.recordDigestConflict(of: ids[0], reason: "two agree on something else", at: .now)
        let answer = try await fixture.send(.get, "/v2/images/\(image)/file", as: Self.reader, headers: Self.type)
        #expect(answer.status == 200 && !answer.text.contains("<pieces"))
    }

    @Test("If there are no bytes, there is no document")
    func withoutBytesThereIsNoDocument() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        let empty = try await fixture.image(owner: "mine")
        let stranger = Caller(user: "s", project: "other", roles: [.reader])
        for (path, caller, status) in [
            ("\(image)/file?disk_format=qcow2", Self.reader, 406), ("\(ImageID())/file", Self.reader, 404),
            ("\(image)/file", stranger, 404), ("\(empty)/file", Self.reader, 204),
        ] {
            let answer = try await fixture.send(.get, "/v2/images/\(path)", as: caller, headers: Self.type)
            #expect(answer.status == status, "\(path)")
        }
    }

    @Test("An invalid host is not written into a document", arguments: ["user@baton", "ba ton", "a<b", ""])
    func anInvalidHostIsNotWrittenIntoADocument(host: String) async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([.init(backend: "plain")], in: fixture)
        let answer = try await fixture.send(
            .get, "/v2/images/\(image)/file", as: Self.reader, headers: Self.type, authority: host)
        #expect(answer.status == 200 && answer.text.contains(">http://localhost/"))
    }
}
