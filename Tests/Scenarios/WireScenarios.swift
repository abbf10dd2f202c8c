import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// The HTTP interface for well-behaved clients, header by header.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WireScenarios {
    static let content = PatternedContent(size: 3_000_017, seed: 21)
    static let size = content.size

    /// A server with one image at one sound origin, which has been read in full.
    private func served(
        extra: String = "", _ body: (BatonProcess, _ image: String, FaultyOrigin) async throws -> Void
    ) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        try await baton.addLocations([origin.url()], to: image, of: Self.content, extra: extra)
        try await baton.verifyLocations(of: image)
        try await body(baton, image, origin)
    }

    @Test("A download has the headers that clients verify with")
    func aDownloadHasTheHeadersThatClientsVerifyWith() async throws {
        let md5 = Self.content.digest(.md5)
        let sha256 = Self.content.sha256
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let added = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body: #"{"url": "\#(origin.url())", "size": \#(Self.size), "digests": {"sha256": "\#(sha256)", "md5": "\#(md5)"}}"#)
        #expect(added.status == 201)
        try await baton.verifyLocations(of: image)
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 200)
        #expect(response.headers["content-type"] == "application/octet-stream")
        #expect(response.headers["content-length"] == "\(Self.size)")
        #expect(response.headers["content-md5"] == md5)
        #expect(response.headers["etag"] == "\"sha256-\(sha256)\"")
        #expect(response.headers["accept-ranges"] == "bytes")
        let bytes = try Digest(.sha256, hex: sha256).bytes
        // The full read that makes the manifest may have added digests of other algorithms by now.
        let digests = response.headers["repr-digest"]?.components(separatedBy: ", ") ?? []
        #expect(digests.contains("sha-256=:\(Data(bytes).base64EncodedString()):"))
        #expect(response.headers["x-openstack-request-id"]?.hasPrefix("req-") == true)
    }

    @Test("HEAD answers from the catalog and ignores Range")
    func headAnswersFromTheCatalogAndIgnoresRange() async throws {
        try await served { baton, image, origin in
            let asked = origin.record.requests.count
            let response = try await baton.send("HEAD", "/v2/images/\(image)/file", headers: ["Range": "bytes=5-9"])
            #expect(response.status == 200)
            #expect(response.headers["content-length"] == "\(Self.size)")
            #expect(response.headers["etag"] != nil)
            #expect(origin.record.requests.count == asked)
        }
    }

    struct RangeCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let span: ClosedRange<Int64>

        init(_ header: String, _ span: ClosedRange<Int64>) {
            testDescription = header
            self.span = span
        }
    }

    @Test(
        "A range is answered with exactly its bytes",
        arguments: [
            RangeCase("bytes=0-0", 0...0), RangeCase("bytes=5-1000004", 5...1_000_004),
            RangeCase("bytes=2999999-", 2_999_999...(size - 1)), RangeCase("bytes=-1", (size - 1)...(size - 1)),
            RangeCase("bytes=-99999999", 0...(size - 1)), RangeCase("bytes=7-99999999", 7...(size - 1)),
            RangeCase("bytes=0-", 0...(size - 1)), RangeCase("bytes= 3-4", 3...4), RangeCase("Bytes=3-4", 3...4),
        ])
    func aRangeIsAnsweredWithExactlyItsBytes(range: RangeCase) async throws {
        try await served { baton, image, _ in
            let response = try await baton.download(
                image, of: Self.content, headers: ["Range": range.testDescription], from: range.span.lowerBound)
            #expect(response.status == 206)
            #expect(
                response.headers["content-range"] == "bytes \(range.span.lowerBound)-\(range.span.upperBound)/\(Self.size)")
            #expect(response.count == Int64(range.span.count))
            #expect(response.isComplete)
            #expect(response.firstWrongByte == nil)
        }
    }

    @Test("Range takes precedence over the legacy Content-Range")
    func aRangeOutranksTheLegacyForm() async throws {
        try await served { baton, image, _ in
            let response = try await baton.download(
                image, of: Self.content, headers: ["Range": "bytes=5-9", "Content-Range": "bytes 0-1/*"], from: 5)
            #expect(response.status == 206 && response.headers["content-range"] == "bytes 5-9/\(Self.size)")
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A range fails over in mid-stream too")
    func aRangeFailsOverInMidStreamToo() async throws {
        let dying = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .reset(after: 500_000) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [dying, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["dying": dying, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [dying.url(), sound.url()])
        try await baton.verifyLocationsAndForgetManifest(of: image)
        let response = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=1000000-2999999"], from: 1_000_000)
        #expect(response.status == 206)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        #expect(
            await baton.logged { $0.event == "download.finished" && $0["range"] != nil }.fields["served"] == [
                "dying 1000000-1499999", "sound 1500000-2999999",
            ])
    }

    @Test("Without a manifest a range comes only from the object that was read in full")
    func aRangeComesOnlyFromTheObjectThatWasReadInFull() async throws {
        let isAnother = Flag()
        let changed = try FaultyOrigin(Self.content) { _ in isAnother.isSet ? .etag("\"v2\"") : .sound }
        let pinned = try FaultyOrigin(Self.content)
        defer { for origin in [changed, pinned] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["changed": changed, "pinned": pinned])
        let image = try await baton.addImage(of: Self.content, at: [changed.url(), pinned.url()])
        try await baton.verifyLocationsAndForgetManifest(of: image)
        isAnother.set()
        let response = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=1000000-"], from: 1_000_000)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.logged { $0.event == "download.finished" && $0["range"] != nil }
        #expect(relay.fields["served"] == ["pinned 1000000-\(Self.size - 1)"])
        #expect(relay.fields["failures"]?.first?.contains("validator-changed") == true)
    }

    /// Malformed ranges get 416 as from Glance and nginx; a Range of another unit is ignored (RFC 9110 section 14.2).
    @Test(
        "A malformed range gets a clear answer",
        arguments: [
            ("bytes=9-3", 416), ("bytes=3000017-", 416), ("bytes=3000017-3000018", 416), ("bytes=-0", 416),
            ("bytes=99999999999999999999-", 416), ("bytes=0-1,5-6", 400), ("bytes=0-,-1", 400), ("bytes=a-b", 416),
            ("bytes=-", 416), ("bytes=", 416), ("bytes", 416), ("items=0-1", 200), ("bytes=1", 416), ("bytes=--1", 416),
            ("bytes=+1-2", 416), ("bytes=1-2-3", 416), ("bytes=0x1-2", 416), ("=", 200), ("bytes=1 -2", 416),
        ])
    func aMalformedRangeGetsAClearAnswer(header: String, status: Int) async throws {
        try await served { baton, image, _ in
            let response = try await baton.download(image, of: Self.content, headers: ["Range": header])
            #expect(response.status == status)
            if status == 416 { #expect(response.headers["content-range"] == "bytes */\(Self.size)") }
            if status == 200 { #expect(response.isComplete && response.firstWrongByte == nil) }
            if status == 400 { #expect(response.errorMessage.contains("one at a time")) }
        }
    }

    @Test("If-None-Match and If-Range are honoured")
    func conditionsAreHonoured() async throws {
        try await served { baton, image, _ in
            let tag = "\"sha256-\(Self.content.sha256)\""
            let path = "/v2/images/\(image)/file"
            for method in ["GET", "HEAD"] {
                for condition in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                    let response = try await baton.send(method, path, headers: ["If-None-Match": condition])
                    #expect(response.status == 304)
                    #expect(response.headers["etag"] == tag)
                }
            }
            #expect(try await baton.send("GET", path, headers: ["If-None-Match": "\"x\""]).status == 200)
            let range = ["Range": "bytes=10-19"]
            let same = try await baton.send("GET", path, headers: range.merging(["If-Range": tag]) { $1 })
            #expect(same.status == 206)
            for other in ["\"x\"", "W/\(tag)", "Tue, 24 Nov 2026 00:00:00 GMT"] {
                let response = try await baton.send("GET", path, headers: range.merging(["If-Range": other]) { $1 })
                #expect(response.status == 200, "If-Range: \(other)")
            }
        }
    }

    @Test("Several requests share a connection")
    func severalRequestsShareAConnection() async throws {
        try await served { baton, image, _ in
            let port = baton.port
            try await onOwnThread {
                let client = try TestClient(port: port)
                for _ in 0..<3 {
                    try client.send("GET", "/v2/images/\(image)/file")
                    var response = client.receiveHead()
                    client.receiveBody(&response, expected: (Self.content, 0))
                    #expect(response.isComplete && response.firstWrongByte == nil)
                    try client.send("HEAD", "/v2/images/\(image)/file")
                    #expect(client.receiveHead().status == 200)
                }
            }
        }
    }

    @Test("An image without locations gets 204, and one without active locations 503")
    func anImageWithoutActiveLocationsIsUnavailable() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .status(404) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 204)
        #expect(try await baton.send("HEAD", "/v2/images/\(image)/file").status == 204)
        try await baton.addLocations([origin.url()], to: image, of: Self.content)
        let response = try await baton.send("GET", "/v2/images/\(image)/file")
        #expect(response.status == 503)
        #expect(response.errorMessage.contains("pending"))
    }

    @Test("Only the representation that is asked for is served")
    func onlyTheRequestedRepresentationIsServed() async throws {
        let raw = try FaultyOrigin(Self.content)
        let small = PatternedContent(size: 1_500_000, seed: 22)
        let packed = try FaultyOrigin(small)
        defer { for origin in [raw, packed] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["raw": raw, "packed": packed])
        let image = try await baton.addImage(of: Self.content, at: [raw.url()])
        try await baton.addLocations([packed.url()], to: image, of: small, extra: #", "disk_format": "qcow2""#)
        let path = "/v2/images/\(image)/file"
        #expect(try await baton.send("GET", path).count == Self.size)
        #expect(try await baton.send("GET", path + "?disk_format=qcow2").count == small.size)
        #expect(try await baton.send("GET", path + "?disk_format=raw&container_format=bare").count == Self.size)
        let other = try await baton.send("GET", path + "?disk_format=vmdk")
        #expect(other.status == 406)
        #expect(other.errorMessage.contains("raw/bare") && other.errorMessage.contains("qcow2/bare"))
        #expect(try await baton.send("GET", path + "?disk_format=floppy").status == 400)
        raw.stop()
        let failed = try await baton.send("GET", path)
        #expect(failed.status == 503, "another representation is no substitute")
    }

    @Test("Images are created, shown, listed and deleted")
    func imagesAreCreatedShownListedAndDeleted() async throws {
        let baton = try await BatonProcess(backends: [:])
        let created = try await baton.send(
            "POST", "/v2/images", body: #"{"name": "a", "disk_format": "qcow2", "container_format": "bare", "kernel": "x"}"#)
        #expect(created.status == 201)
        let id = try #require(created.json["id"] as? String)
        #expect(created.headers["location"]?.hasSuffix("/v2/images/\(id)") == true)
        #expect(created.json["status"] as? String == "queued")
        #expect(created.json["kernel"] as? String == "x")
        let shown = try await baton.send("GET", "/v2/images/\(id)")
        #expect(shown.json["name"] as? String == "a")
        for key in ["size", "checksum", "os_hash_algo", "os_hash_value", "virtual_size", "owner"] {
            #expect(shown.json[key] is NSNull, "\(key) is there, and null")
        }
        for _ in 0..<4 { _ = try await baton.addImage() }
        var ids: [String] = []
        var next: String? = "/v2/images?limit=2"
        while let path = next {
            let page = try await baton.send("GET", path)
            #expect(page.status == 200)
            ids += (page.json["images"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            next = page.json["next"] as? String
        }
        #expect(ids.count == 5 && Set(ids).count == 5)
        #expect(try await baton.send("DELETE", "/v2/images/\(id)").status == 204)
        #expect(try await baton.send("GET", "/v2/images/\(id)").status == 404)
        #expect(try await baton.send("DELETE", "/v2/images/\(id)").status == 404)
        let twice = try await baton.send("POST", "/v2/images", body: #"{"id": "\#(ids[0])"}"#)
        #expect(twice.status == 409)
    }

    @Test("The server lists its versions and reports its health")
    func theServerListsItsVersionsAndReportsItsHealth() async throws {
        let baton = try await BatonProcess(backends: [:])
        let root = try await baton.send("GET", "/")
        #expect(root.status == 300)
        let versions = try await baton.send("GET", "/versions")
        #expect(versions.status == 200)
        for document in [root, versions] {
            let list = try #require(document.json["versions"] as? [[String: Any]])
            #expect(list.first?["status"] as? String == "CURRENT")
            let links = try #require(list.first?["links"] as? [[String: Any]])
            #expect((links.first?["href"] as? String)?.hasSuffix("/v2/") == true)
        }
        #expect(try await baton.send("GET", "/healthz").status == 200)
        #expect(try await baton.send("GET", "/v2.9/images").status == 200)
    }

    @Test("Tier and weight decide the order")
    func weightAndTierDecideTheOrder() async throws {
        let origins = try (0..<3).map { _ in try FaultyOrigin(Self.content) }
        defer { for origin in origins { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": origins[0], "b": origins[1], "c": origins[2]], settings: "selection: { strategy: weighted }")
        let image = try await baton.addImage()
        try await baton.addLocations([origins[0].url()], to: image, of: Self.content, extra: #", "tier": 1, "weight": 100"#)
        try await baton.addLocations([origins[1].url()], to: image, of: Self.content, extra: #", "weight": 1"#)
        try await baton.addLocations([origins[2].url()], to: image, of: Self.content, extra: #", "weight": 5"#)
        _ = try await baton.download(image, of: Self.content)
        #expect(await baton.relay(of: image).fields["served"] == ["c 0-\(Self.size - 1)"])
    }

    @Test("A location that failed ranks last for a while")
    func aLocationThatFailedRanksLastForAWhile() async throws {
        let failing = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(500) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [failing, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["failing": failing, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [failing.url(), sound.url()])
        for _ in 0..<3 { #expect(try await baton.download(image, of: Self.content).isComplete) }
        #expect(failing.record.downloads.count == 1)
    }
}
