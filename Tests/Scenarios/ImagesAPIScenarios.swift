import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// Glance's Images API as its clients use it, without locations and data.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ImagesAPIScenarios {
    static let ten = ["Content-Type": "application/openstack-images-v2.1-json-patch"]
    static let four = ["Content-Type": "application/openstack-images-v2.0-json-patch"]

    @Test("All listed versions serve the same API")
    func allListedVersionsServeTheSameAPI() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let list = try #require(try await baton.send("GET", "/versions").json["versions"] as? [[String: Any]])
        let ids = list.compactMap { $0["id"] as? String }
        #expect(ids == ["v2.17", "v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"])
        #expect(list.compactMap { $0["status"] as? String }.first == "CURRENT")
        for id in ids {
            #expect(try await baton.send("GET", "/\(id)/images/\(image)").json["id"] as? String == image, "\(id)")
        }
        for path in ["/v10", "/va.1/images", "/v2.99/images", "/", "/images"] {
            let response = try await baton.send("GET", path)
            #expect(response.status == 300 && response.json["versions"] != nil, "\(path)")
            #expect(response.headers["x-openstack-request-id"]?.hasPrefix("req-") == true)
        }
        let accepted = try await baton.send(
            "GET", "/images/\(image)", headers: ["Accept": "application/vnd.openstack.images-v2.1"])
        #expect(accepted.json["id"] as? String == image)
    }

    @Test(
        "An unsupported method gets 405 with the supported ones",
        arguments: [
            ("POST", "/v2/images/ID", "DELETE, GET, HEAD, PATCH"), ("DELETE", "/v2/images", "GET, HEAD, POST"),
            ("POST", "/v2/images/ID/file", "GET, HEAD, PUT"), ("GET", "/v2/images/ID/actions/deactivate", "POST"),
            ("POST", "/v2/images/ID/tags/x", "DELETE, PUT"), ("PATCH", "/v2/images/ID/members/x", "DELETE, GET, HEAD, PUT"),
            ("PUT", "/v2/images/ID/locations", "GET, HEAD, POST"), ("POST", "/v2/tasks", "GET, HEAD"),
            ("PUT", "/v2/schemas/image", "GET, HEAD"),
        ])
    func anUnsupportedMethodGets405(method: String, path: String, allowed: String) async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let response = try await baton.send(method, path.replacing("ID", with: image), body: "{}")
        #expect(response.status == 405)
        #expect(response.headers["allow"] == allowed)
        #expect(response.errorMessage.contains(allowed))
    }

    @Test("Fields that may not be set at creation are refused")
    func fieldsThatMayNotBeSetAtCreationAreRefused() async throws {
        let baton = try await BatonProcess(backends: [:])
        for (body, status) in [
            (#"{"disk_format": "floppy"}"#, 400), (#"{"container_format": "box"}"#, 400), (#"{"id": "x"}"#, 400),
            (#"{"visibility": "secret"}"#, 400), (#"{"min_disk": -1}"#, 400), (#"{"name": 5}"#, 400), (#"{"x": 5}"#, 400),
            (#"{"tags": "x"}"#, 400), ("[]", 400), ("", 400), (#"{"name": "\#(String(repeating: "x", count: 256))"}"#, 400),
            (#"{"os_glance_x": "y"}"#, 403), (#"{"status": "active"}"#, 403), (#"{"self": "/x"}"#, 403),
            (#"{"direct_url": "x"}"#, 403), (#"{"deleted": "x"}"#, 403), (#"{"locations": []}"#, 403),
            (#"{"checksum": "x"}"#, 403), (#"{"size": 5}"#, 403),
        ] {
            let response = try await baton.send("POST", "/v2/images", body: body)
            #expect(response.status == status, "\(body)")
            #expect(!response.errorMessage.isEmpty)
        }
        #expect(try await baton.send("GET", "/v2/images").json["images"] as? [String] == [])
        let id = UUID().uuidString.lowercased()
        let whole = #"{"id": "\#(id)", "name": null, "owner": "p", "tags": ["a", "a"], "min_ram": null, "kernel": "x"}"#
        let created = try await baton.send("POST", "/v2/images", body: whole)
        #expect(created.status == 201 && created.json["id"] as? String == id)
        #expect(created.json["owner"] as? String == "p" && created.json["tags"] as? [String] == ["a"])
        #expect(created.json["locations"] as? [String] == [])
        for method in ["GET", "DELETE", "PATCH"] {
            #expect(try await baton.send(method, "/v2/images/").status == 404, "an empty id names no image")
        }
    }

    @Test("Both patch media types change an image, and others are refused")
    func bothPatchMediaTypesChangeAnImage() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let path = "/v2/images/\(image)"
        let first = try await baton.send(
            "PATCH", path, headers: Self.ten,
            body: #"[{"op": "replace", "path": "/name", "value": "x"}, {"op": "add", "path": "/colour", "value": "red"}]"#)
        #expect(first.status == 200 && first.json["name"] as? String == "x" && first.json["colour"] as? String == "red")
        let second = try await baton.send(
            "PATCH", path, headers: Self.four, body: #"[{"remove": "/colour"}, {"replace": "/min_disk", "value": 7}]"#)
        #expect(second.status == 200 && second.json["colour"] == nil && second.json["min_disk"] as? Int == 7)
        for type in ["application/json", "application/json-patch+json", "text/plain"] {
            let response = try await baton.send("PATCH", path, headers: ["Content-Type": type], body: "[]")
            #expect(response.status == 415)
            #expect(
                response.headers["accept-patch"]
                    == "application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch")
        }
        // One failing operation undoes all of them.
        let mixed = try await baton.send(
            "PATCH", path, headers: Self.ten,
            body: #"[{"op": "replace", "path": "/name", "value": "y"}, {"op": "remove", "path": "/none"}]"#)
        #expect(mixed.status == 409)
        #expect(try await baton.send("GET", path).json["name"] as? String == "x")
        #expect(try await baton.send("PATCH", "/v2/images/\(UUID())", headers: Self.ten, body: "[]").status == 404)
    }

    @Test("Concurrent patches lose no change")
    func concurrentPatchesLoseNoChange() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    let body = #"[{"op": "add", "path": "/writer\#(writer)", "value": "here"}]"#
                    return try await baton.send("PATCH", "/v2/images/\(image)", headers: Self.ten, body: body).status
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        let shown = try await baton.send("GET", "/v2/images/\(image)").json
        for writer in 0..<16 { #expect(shown["writer\(writer)"] as? String == "here") }
    }

    @Test("A list is filtered, sorted and paged, and its links keep the query")
    func aListIsFilteredSortedAndPaged() async throws {
        let baton = try await BatonProcess(backends: [:])
        for index in 0..<9 {
            let body = #"{"name": "n\#(index % 3)", "tags": ["t\#(index % 2)", "a&b"], "colour": "c\#(index % 2)"}"#
            #expect(try await baton.send("POST", "/v2/images", body: body).status == 201)
        }
        var names: [String] = []
        var next: String? = "/v2/images?tag=t0&tag=a%26b&colour=c0&sort=name:asc&limit=2"
        while let path = next {
            let page = try await baton.send("GET", path)
            #expect(page.status == 200)
            names += (page.json["images"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            next = page.json["next"] as? String
        }
        #expect(names == ["n0", "n0", "n1", "n2", "n2"])
        #expect(try await baton.send("GET", "/v2/images?sort_key=colour").status == 400)
        #expect(try await baton.send("GET", "/v2/images?marker=\(UUID())").status == 400)
        #expect(try await baton.send("GET", "/v2/images?limit=0").json["next"] == nil)
    }

    @Test("Tags are set and removed")
    func tagsAreSetAndRemoved() async throws {
        let baton = try await BatonProcess(backends: [:])
        let path = "/v2/images/\(try await baton.addImage())"
        for tag in ["lts", "a%20b%2Fc", "lts"] {
            #expect(try await baton.send("PUT", "\(path)/tags/\(tag)").status == 204)
        }
        #expect(try await baton.send("GET", path).json["tags"] as? [String] == ["lts", "a b/c"])
        #expect(try await baton.send("DELETE", "\(path)/tags/lts").status == 204)
        #expect(try await baton.send("DELETE", "\(path)/tags/lts").status == 404)
        #expect(try await baton.send("PUT", "\(path)/tags/\(String(repeating: "x", count: 256))").status == 400)
        #expect(try await baton.send("GET", path).json["tags"] as? [String] == ["a b/c"])
    }

    @Test("An image is shared with members")
    func anImageIsSharedWithMembers() async throws {
        let baton = try await BatonProcess(backends: [:])
        let path = "/v2/images/\(try await baton.addImage())"
        let added = try await baton.send("POST", "\(path)/members", body: #"{"member": "p1"}"#)
        #expect(added.status == 200 && added.json["member_id"] as? String == "p1")
        #expect(added.json["status"] as? String == "pending" && added.json["schema"] as? String == "/v2/schemas/member")
        #expect(try await baton.send("POST", "\(path)/members", body: #"{"member": "p1"}"#).status == 409)
        #expect(try await baton.send("POST", "\(path)/members", body: #"{"member": ""}"#).status == 400)
        #expect(try await baton.send("POST", "\(path)/members", body: "{}").status == 400)
        let accepted = try await baton.send("PUT", "\(path)/members/p1", body: #"{"status": "accepted"}"#)
        #expect(accepted.status == 200 && accepted.json["status"] as? String == "accepted")
        #expect(try await baton.send("PUT", "\(path)/members/p1", body: #"{"status": "maybe"}"#).status == 400)
        #expect(try await baton.send("PUT", "\(path)/members/p2", body: #"{"status": "accepted"}"#).status == 404)
        #expect(try await baton.send("GET", "\(path)/members/p1").json["status"] as? String == "accepted")
        let list = try await baton.send("GET", "\(path)/members").json["members"] as? [[String: Any]]
        #expect(list?.compactMap { $0["member_id"] as? String } == ["p1"])
        #expect(try await baton.send("DELETE", "\(path)/members/p1").status == 204)
        #expect(try await baton.send("DELETE", "\(path)/members/p1").status == 404)
        #expect(try await baton.send("GET", "\(path)/members/p1").status == 404)
        _ = try await baton.send(
            "PATCH", path, headers: Self.ten, body: #"[{"op": "replace", "path": "/visibility", "value": "private"}]"#)
        #expect(try await baton.send("POST", "\(path)/members", body: #"{"member": "p1"}"#).status == 403)
    }

    @Test("A protected image cannot be deleted")
    func aProtectedImageCannotBeDeleted() async throws {
        let baton = try await BatonProcess(backends: [:])
        let path = "/v2/images/\(try await baton.addImage())"
        func protect(_ value: Bool) async throws {
            let body = #"[{"op": "replace", "path": "/protected", "value": \#(value)}]"#
            #expect(try await baton.send("PATCH", path, headers: Self.ten, body: body).status == 200)
        }
        try await protect(true)
        #expect(try await baton.send("DELETE", path).status == 403)
        try await protect(false)
        #expect(try await baton.send("DELETE", path).status == 204)
    }

    @Test("Only an active image can be deactivated")
    func onlyAnActiveImageCanBeDeactivated() async throws {
        let content = PatternedContent(size: 100_000, seed: 5)
        let origin = try FaultyOrigin(content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let queued = try await baton.addImage()
        #expect(try await baton.send("POST", "/v2/images/\(queued)/actions/deactivate").status == 403)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let path = "/v2/images/\(image)"
        for _ in 0..<2 { #expect(try await baton.send("POST", "\(path)/actions/deactivate").status == 204) }
        #expect(try await baton.send("GET", path).json["status"] as? String == "deactivated")
        #expect(try await baton.send("GET", "\(path)/file").status == 200, "an administrator may read it")
        for _ in 0..<2 { #expect(try await baton.send("POST", "\(path)/actions/reactivate").status == 204) }
        #expect(try await baton.send("GET", path).json["status"] as? String == "active")
    }

    @Test("The API describes its schemas and capabilities")
    func theAPIDescribesItsSchemasAndCapabilities() async throws {
        let baton = try await BatonProcess(backends: [:])
        for name in ["image", "images", "member", "members", "task", "tasks"] {
            let schema = try await baton.send("GET", "/v2/schemas/\(name)")
            #expect(schema.status == 200 && schema.json["properties"] is [String: Any])
        }
        #expect(try await baton.send("GET", "/v2/schemas/colour").status == 404)
        let methods = try await baton.send("GET", "/v2/info/import").json["import-methods"] as? [String: Any]
        #expect(methods?["value"] as? [String] == [])
        #expect(try await baton.send("GET", "/v2/info/stores").status == 404)
        #expect(try await baton.send("GET", "/v2/tasks").json["tasks"] as? [String] == [])
        #expect(try await baton.send("GET", "/v2/tasks/\(UUID())").status == 404)
    }
}
