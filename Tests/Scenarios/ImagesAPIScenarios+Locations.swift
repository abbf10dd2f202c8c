import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// Locations through Glance's API: by patch and by import.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ImagesAPILocationScenarios {
    static let content = PatternedContent(size: 1_500_000, seed: 31)

    private static var claim: String {
        let (md5, sha512) = (content.digest(.md5), content.digest(.sha512))
        return #"{"checksum": "\#(md5)", "os_hash_algo": "sha512", "os_hash_value": "\#(sha512)"}"#
    }

    private func served(_ body: (BatonProcess, FaultyOrigin) async throws -> Void) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        try await body(try await BatonProcess(origins: ["origin": origin]), origin)
    }

    private func patch(_ baton: BatonProcess, _ image: String, _ body: String) async throws -> TestClient.Response {
        try await baton.send("PATCH", "/v2/images/\(image)", headers: ImagesAPIScenarios.four, body: body)
    }

    private func urls(_ response: TestClient.Response) -> [String] {
        (response.json["locations"] as? [[String: Any]] ?? []).compactMap { $0["url"] as? String }
    }

    @Test("A location that a patch adds makes the image active and serves it")
    func aPatchedLocationMakesTheImageActive() async throws {
        try await served { baton, origin in
            let image = try await baton.addImage()
            let added = try await patch(
                baton, image,
                #"[{"add": "/locations/-", "value": {"url": "\#(origin.url())", "metadata": {"a": ["b"]}, "validation_data": \#(Self.claim)}}]"#
            )
            #expect(added.status == 200 && added.json["status"] as? String == "active")
            #expect(added.json["size"] as? Int64 == Self.content.size)
            #expect(added.json["checksum"] as? String == Self.content.digest(.md5))
            #expect(added.json["os_hash_value"] as? String == Self.content.digest(.sha512))
            #expect(added.json["direct_url"] as? String == origin.url())
            let location = try #require((added.json["locations"] as? [[String: Any]])?.first)
            #expect(Set(location.keys) == ["url", "metadata"])
            #expect((location["metadata"] as? [String: [String]]) == ["a": ["b"]])
            let response = try await baton.download(image, of: Self.content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A URL with another fragment is another location")
    func anotherFragmentIsAnotherLocation() async throws {
        try await served { baton, origin in
            let image = try await baton.addImage()
            let (plain, new) = (origin.url(), origin.url() + "#new")
            _ = try await patch(
                baton, image,
                #"[{"add": "/locations/-", "value": {"url": "\#(plain)", "metadata": {}, "validation_data": \#(Self.claim)}}]"#)
            let second = try await patch(
                baton, image, #"[{"add": "/locations/0", "value": {"url": "\#(new)", "metadata": {}}}]"#)
            #expect(second.status == 200 && urls(second) == [new, plain])
            let again = try await patch(
                baton, image, #"[{"add": "/locations/-", "value": {"url": "\#(new)", "metadata": {}}}]"#)
            #expect(again.status == 400)
            let swapped = try await patch(
                baton, image,
                #"[{"replace": "/locations", "value": [{"url": "\#(plain)", "metadata": {"d": "x"}}, {"url": "\#(new)", "metadata": {}}]}]"#
            )
            #expect(swapped.status == 200 && urls(swapped) == [plain, new])
            let fewer = try await patch(
                baton, image, #"[{"replace": "/locations", "value": [{"url": "\#(plain)", "metadata": {}}]}]"#)
            #expect(fewer.status == 400)
            #expect(try await patch(baton, image, #"[{"replace": "/locations", "value": []}]"#).status == 403)
            let removed = try await patch(baton, image, #"[{"remove": "/locations/0"}]"#)
            #expect(removed.status == 200 && urls(removed) == [new] && removed.json["direct_url"] as? String == new)
            #expect(try await patch(baton, image, #"[{"remove": "/locations/0"}]"#).status == 403)
            let back = try await patch(
                baton, image, #"[{"add": "/locations/-", "value": {"url": "\#(plain)", "metadata": {}}}]"#)
            #expect(back.status == 200 && urls(back) == [new, plain])
            let response = try await baton.download(image, of: Self.content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A location whose digest contradicts the image is a conflict")
    func aLocationThatContradictsTheImageIsAConflict() async throws {
        try await served { baton, origin in
            let image = try await baton.addImage()
            _ = try await patch(
                baton, image,
                #"[{"add": "/locations/-", "value": {"url": "\#(origin.url())", "metadata": {}, "validation_data": \#(Self.claim)}}]"#
            )
            let other = Self.claim.replacing(Self.content.digest(.sha512).prefix(4), with: "0000")
            let asked = origin.record.requests.count
            let response = try await patch(
                baton, image,
                #"[{"add": "/locations/-", "value": {"url": "\#(origin.url())#b", "metadata": {}, "validation_data": \#(other)}}]"#
            )
            #expect(response.status == 409)
            #expect(origin.record.requests.count == asked, "no backend was asked")
            #expect(try await baton.locations(of: image).count == 1)
        }
    }

    @Test(
        "A URL in no configured backend is an invalid location",
        arguments: [
            "gopher://info.cern.ch", "http://127.0.0.1:1/x", "file:///etc/passwd", "x", "http://user:secret@127.0.0.1/x",
            "ftp://127.0.0.1/x", "swift+config://x/y",
        ])
    func aURLInNoBackendIsAnInvalidLocation(url: String) async throws {
        try await served { baton, _ in
            let image = try await baton.addImage()
            let value = #"{"url": "\#(url)", "metadata": {}, "validation_data": \#(Self.claim)}"#
            for body in [
                #"[{"add": "/locations/-", "value": \#(value)}]"#, #"[{"replace": "/locations", "value": [\#(value)]}]"#,
            ] {
                let response = try await patch(baton, image, body)
                #expect(response.status == 400 && response.errorMessage.hasPrefix("Invalid location"))
            }
            #expect(try await baton.locations(of: image).isEmpty)
            #expect(!baton.rawLog.contains("secret"))
        }
    }

    @Test("A missing object is an invalid location and leaves no record")
    func aMissingObjectIsAnInvalidLocation() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .status(404) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let response = try await patch(
            baton, image,
            #"[{"add": "/locations/-", "value": {"url": "\#(origin.url())", "metadata": {}, "validation_data": \#(Self.claim)}}]"#
        )
        #expect(response.status == 400 && response.errorMessage.contains("Invalid location"))
        #expect(try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String == "queued")
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 204)
    }

    /// Waits until the only task of an image ends; the suite's time limit bounds the wait.
    private func task(of image: String, _ baton: BatonProcess) async throws -> [String: Any] {
        while true {
            let tasks = try await baton.send("GET", "/v2/images/\(image)/tasks").json["tasks"] as? [[String: Any]] ?? []
            if let task = tasks.first, ["success", "failure"].contains(task["status"] as? String) { return task }
            await Task.yield()
        }
    }

    @Test("An import adds the location after its response")
    func anImportAddsTheLocationAfterItsResponse() async throws {
        try await served { baton, origin in
            let image = try await baton.addImage()
            let sha256 = Self.content.sha256
            let path = "/v2/images/\(image)/locations"
            let body =
                #"{"url": "\#(origin.url())", "validation_data": {"os_hash_algo": "sha256", "os_hash_value": "\#(sha256)"}}"#
            let accepted = try await baton.send("POST", path, body: body)
            #expect(accepted.status == 202)
            let task = try await task(of: image, baton)
            #expect(task["status"] as? String == "success" && task["type"] as? String == "location_import")
            #expect(task["image_id"] as? String == image)
            #expect(task["request_id"] as? String == accepted.headers["x-openstack-request-id"])
            let shown = try await baton.send("GET", "/v2/images/\(image)").json
            #expect(shown["status"] as? String == "active" && shown["os_hash_value"] as? String == sha256)
            let list = try await baton.send("GET", path)
            let records = try JSONSerialization.jsonObject(with: Data(list.body)) as? [[String: Any]]
            #expect(records?.compactMap { $0["url"] as? String } == [origin.url()])
            #expect(try await baton.send("POST", path, body: body).status == 409)
            let id = try #require(task["id"] as? String)
            #expect(try await baton.send("GET", "/v2/tasks/\(id)").json["status"] as? String == "success")
        }
    }

    @Test("A failed import leaves the image queued and a task with the reason")
    func aFailedImportLeavesTheImageQueued() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .status(404) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let path = "/v2/images/\(image)/locations"
        let claim = #"{"os_hash_algo": "sha256", "os_hash_value": "\#(Self.content.sha256)"}"#
        for (body, status) in [
            ("{}", 400), (#"{"url": "\#(origin.url())", "validation_data": {"os_hash_algo": "sha256"}}"#, 400),
            (#"{"url": "x", "validation_data": {"os_hash_algo": "sha256", "os_hash_value": "aa"}}"#, 400),
            (#"{"url": "x", "validation_data": {"os_hash_algo": "crc", "os_hash_value": "aa"}}"#, 400),
            (#"{"url": "ftp://x/y", "validation_data": \#(claim)}"#, 400),
        ] {
            #expect(try await baton.send("POST", path, body: body).status == status, "\(body)")
        }
        let accepted = try await baton.send(
            "POST", path, body: #"{"url": "\#(origin.url())", "validation_data": \#(claim)}"#)
        #expect(accepted.status == 202)
        let task = try await task(of: image, baton)
        #expect(task["status"] as? String == "failure")
        #expect((task["message"] as? String)?.contains("404") == true)
        try await eventually("the image to be queued") {
            try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String == "queued"
        }
        #expect(try await baton.locations(of: image).isEmpty)
    }
}
