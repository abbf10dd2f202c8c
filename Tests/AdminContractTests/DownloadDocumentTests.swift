import AdminContract
import Foundation
import ImageModel
import Testing

/// The JSON of explanations and of direct locations.
@Suite struct DownloadDocumentTests {
    private func representation() throws -> Representation {
        Representation(
            image: DocumentFixture.image, format: Format(disk: .raw, container: .bare), size: 10,
            identity: try DocumentFixture.digest(), isOnIntegrityHold: true, lastMismatchAt: DocumentFixture.time,
            hasDigestConflict: false)
    }

    @Test("An explanation of unknown content has null for the format, the representation and the manifest")
    func emptyExplanation() throws {
        try expect(
            ExplainDocument(
                image: DocumentFixture.image, format: nil, formats: [], strategy: "ordered", purpose: .whole,
                representation: nil, manifest: nil, ranked: [], rejected: []),
            is: """
                {"for":"whole","format":null,"formats":[],"image":"00000000-0000-4000-8000-000000000001","manifest":null,
                "ranked":[],"rejected":[],"representation":null,"strategy":"ordered"}
                """)
    }

    @Test("An explanation has the representation, the manifest, and each location with a reason")
    func explanation() throws {
        let layout = try #require(ChunkLayout(size: 10, chunkSize: 4))
        let failure = LastFailureDocument(time: DocumentFixture.time, reason: "missing", detail: "404")
        let ranked = RankedDocument(
            ExplainedLocation(DocumentFixture.newLocation(), lastFailure: nil, why: "tier 0"), rank: 1,
            standing: "regular", cost: 0.5, bytesPerSecond: nil)
        let measured = RankedDocument(
            ExplainedLocation(DocumentFixture.newLocation(), lastFailure: nil, why: "tier 0"), rank: 2,
            standing: "resting", cost: 0, bytesPerSecond: 1_000_000)
        let rejected = RejectedDocument(
            ExplainedLocation(try DocumentFixture.fullLocation(), lastFailure: failure, why: "it is pending"),
            reason: "status")
        let format = Format(disk: .raw, container: .bare)
        let place = """
            "last_failure":null,"location":"00000000-0000-4000-8000-000000000002"
            """
        try expect(
            ExplainDocument(
                image: DocumentFixture.image, format: format, formats: [format], strategy: "measured", purpose: .range,
                representation: RepresentationDocument(try representation(), servesRanges: false),
                manifest: ManifestDocument(layout), ranked: [ranked, measured], rejected: [rejected]),
            is: """
                {"for":"range","format":"raw/bare","formats":["raw/bare"],
                "image":"00000000-0000-4000-8000-000000000001",
                "manifest":{"algorithm":"sha256","chunk_size":4,"chunks":3},
                "ranked":[
                {"backend":"north","bytes_per_second":null,"cost":0.5,\(place),"rank":1,"standing":"regular",
                "status":"pending","tier":0,"url":"http://north/x","verified_at":null,"weight":0,"why":"tier 0"},
                {"backend":"north","bytes_per_second":1000000,"cost":0,\(place),"rank":2,"standing":"resting",
                "status":"pending","tier":0,"url":"http://north/x","verified_at":null,"weight":0,"why":"tier 0"}],
                "rejected":[
                {"backend":"north",
                "last_failure":{"detail":"404","reason":"missing","time":"2026-09-01T10:00:00Z"},
                "location":"00000000-0000-4000-8000-000000000002","reason":"status","status":"pending","tier":2,
                "url":"http://north/a%20b","verified_at":"2026-09-01T10:00:00Z","weight":-3,"why":"it is pending"}],
                "representation":{"digest":"md5:d41d8cd98f00b204e9800998ecf8427e","digest_conflict":false,
                "held_since":"2026-09-01T10:00:00Z","integrity_hold":true,"serves_ranges":false,"size":10},
                "strategy":"measured"}
                """)
    }

    @Test("A list of direct locations has the URLs, the digests and the stream")
    func direct() throws {
        let representation = try representation()
        let first = DirectLocationDocument(
            try DocumentFixture.fullLocation(), url: "http://north/a%20b?signature=1", expires: DocumentFixture.time + 600,
            isHealthy: true)
        let second = DirectLocationDocument(
            DocumentFixture.newLocation(), url: "http://north/x", expires: nil, isHealthy: false)
        try expect(
            DirectDocument(
                representation, digests: DigestSet([try DocumentFixture.digest()]), locations: [first, second],
                absence: nil, stream: "/v2/images/x/file"),
            is: """
                {"absence":null,"container_format":"bare","digest":"md5:d41d8cd98f00b204e9800998ecf8427e",
                "digests":{"md5":"d41d8cd98f00b204e9800998ecf8427e"},"disk_format":"raw",
                "etag":"\\"md5-d41d8cd98f00b204e9800998ecf8427e\\"","image":"00000000-0000-4000-8000-000000000001",
                "locations":[
                {"backend":"north","digests":{"md5":"d41d8cd98f00b204e9800998ecf8427e"},"expires":"2026-09-01T10:10:00Z",
                "healthy":true,"location":"00000000-0000-4000-8000-000000000002","size":7,
                "url":"http://north/a%20b?signature=1","verified_at":"2026-09-01T10:00:00Z"},
                {"backend":"north","digests":{},"expires":null,"healthy":false,
                "location":"00000000-0000-4000-8000-000000000002","size":null,"url":"http://north/x","verified_at":null}],
                "size":10,"stream":"/v2/images/x/file"}
                """)
        let empty = DirectDocument(representation, digests: DigestSet(), locations: [], absence: "no-redirect", stream: "/s")
        try expect(
            empty,
            is: """
                {"absence":"no-redirect","container_format":"bare","digest":"md5:d41d8cd98f00b204e9800998ecf8427e",
                "digests":{},"disk_format":"raw","etag":"\\"md5-d41d8cd98f00b204e9800998ecf8427e\\"",
                "image":"00000000-0000-4000-8000-000000000001","locations":[],"size":10,"stream":"/s"}
                """)
    }
}
