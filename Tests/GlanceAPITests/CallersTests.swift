import Access
import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// Several callers at the same routes: each route checks the caller's rights and answers as Glance does.
@Suite(.timeLimit(.minutes(5))) struct CallersTests {
    static let owner = Caller(user: "o", project: "mine", roles: [.reader, .member])
    static let colleague = Caller(user: "c", project: "mine", roles: [.reader])
    static let stranger = Caller(user: "s", project: "other", roles: [.reader, .member])
    static let service = Caller(user: "v", project: "services", roles: [.reader, .service])
    static let nobody = Caller(user: "n", project: "mine", roles: [])
    static let patchType = "application/openstack-images-v2.1-json-patch"

    /// A route to an image below `/v2/images/{id}`, and whether it changes the image.
    struct Way: Sendable, CustomTestStringConvertible {
        let method: HTTPRequest.Method
        let path: String
        var type = "application/json"
        var body = ""
        var changes = true

        var testDescription: String { "\(method.rawValue) \(path)" }
    }

    static let ways: [Way] = [
        Way(method: .get, path: "", changes: false), Way(method: .get, path: "/file", changes: false),
        Way(method: .head, path: "/file", changes: false), Way(method: .get, path: "/tasks", changes: false),
        Way(method: .delete, path: ""), Way(method: .patch, path: "", type: patchType, body: "[]"),
        Way(method: .put, path: "/tags/x"), Way(method: .delete, path: "/tags/x"),
        Way(method: .post, path: "/actions/deactivate"), Way(method: .post, path: "/actions/reactivate"),
        Way(method: .post, path: "/members", body: #"{"member": "third"}"#), Way(method: .delete, path: "/members/x"),
        Way(method: .put, path: "/file", type: "application/octet-stream"),
        Way(method: .post, path: "/locations", body: #"{"url": "http://127.0.0.1:1/x"}"#),
        Way(method: .get, path: "/locations"),
    ]

    @Test("An image that the caller may not see is not found", arguments: ways)
    func anImageThatTheCallerMayNotSeeIsNotFound(way: Way) async throws {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine")
        for caller in [Self.stranger, Self.nobody, Self.service] {
            let answer = try await fixture.send(
                way.method, "/v2/images/\(image)\(way.path)", as: caller, type: way.type, way.body)
            #expect(answer.status == 404, "\(caller.user)")
        }
        #expect(try await fixture.catalog.image(image) != nil)
    }

    @Test("A change of an image that the caller may only see is forbidden", arguments: ways)
    func aChangeOfAnImageThatTheCallerMayOnlySeeIsForbidden(way: Way) async throws {
        let fixture = try APIFixture()
        let shared = try await fixture.image(owner: "mine")
        let now = Date.now
        try await fixture.catalog.add(Member(image: shared, project: "other", createdAt: now, updatedAt: now))
        let open = try await fixture.image(owner: "mine", visibility: .public)
        for (image, caller) in [(shared, Self.colleague), (shared, Self.stranger), (open, Self.stranger)] {
            // The members of a public image are not shown to other projects.
            let answer = try await fixture.send(
                way.method, "/v2/images/\(image)\(way.path)", as: caller, type: way.type, way.body)
            #expect((answer.status == 403) == way.changes, "\(caller.user): \(answer.status)")
        }
    }

    @Test("An owner creates, changes and deletes an image, but attaches no location")
    func anOwnerManagesAnImageButAttachesNoLocation() async throws {
        let fixture = try APIFixture()
        let body = #"{"name": "x", "disk_format": "raw", "container_format": "bare"}"#
        let created = try await fixture.send(.post, "/v2/images", as: Self.owner, body)
        #expect(created.status == 201 && created["owner"] == "mine" && created["locations"] == nil)
        let id = try #require(created["id"]?.text)
        let changed = try await fixture.send(
            .patch, "/v2/images/\(id)", as: Self.owner, type: Self.patchType,
            #"[{"op": "replace", "path": "/name", "value": "y"}]"#)
        #expect(changed.status == 200 && changed["name"] == "y")
        for (body, status) in [
            (#"{"owner": "other"}"#, 403), (#"{"visibility": "public"}"#, 403), (#"{"visibility": "community"}"#, 201),
            (#"{"owner": "mine"}"#, 201),
        ] {
            #expect(try await fixture.send(.post, "/v2/images", as: Self.owner, body).status == status, "\(body)")
        }
        let location = #"[{"op": "add", "path": "/locations/-", "value": {"url": "http://127.0.0.1:1/x", "metadata": {}}}]"#
        let attached = try await fixture.send(
            .patch, "/v2/images/\(id)", as: Self.owner, type: Self.patchType, location)
        #expect(attached.status == 403, "only administrators attach locations")
        #expect(try await fixture.send(.post, "/v2/images", as: Self.colleague, "{}").status == 403)
        #expect(try await fixture.send(.get, "/v2/tasks", as: Self.owner).status == 403)
        #expect(try await fixture.send(.delete, "/v2/images/\(id)", as: Self.owner).status == 204)
    }

    @Test("A member answers for its own project only")
    func aMemberAnswersForItsOwnProjectOnly() async throws {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine")
        let members = "/v2/images/\(image)/members"
        for project in ["other", "third"] {
            let added = try await fixture.send(.post, members, as: Self.owner, #"{"member": "\#(project)"}"#)
            #expect(added.status == 200)
        }
        func answer(_ project: String, _ caller: Caller) async throws -> Int {
            try await fixture.send(.put, "\(members)/\(project)", as: caller, #"{"status": "accepted"}"#).status
        }
        #expect(try await answer("other", Self.owner) == 403, "an owner does not answer for others")
        #expect(try await answer("third", Self.stranger) == 404, "nor does a member for another one")
        #expect(try await answer("other", Self.stranger) == 200)
        let seen = try await fixture.send(.get, members, as: Self.stranger)
        guard case .array(let list)? = seen["members"] else {
            Issue.record("no list")
            return
        }
        #expect(list.map { $0.members?["member_id"] } == ["other"])
        #expect(try await fixture.send(.get, "\(members)/third", as: Self.stranger).status == 404)
        #expect(try await fixture.send(.get, "\(members)/third", as: Self.owner).status == 200)
    }

    private func listed(_ fixture: APIFixture, _ query: String, as caller: Caller) async throws -> Set<String> {
        let answer = try await fixture.send(.get, "/v2/images\(query)", as: caller)
        guard case .array(let images)? = answer["images"] else { return ["no list"] }
        return Set(images.compactMap { $0.members?["id"]?.text })
    }

    @Test("A list shows only the images that concern the caller")
    func aListShowsOnlyTheImagesThatConcernTheCaller() async throws {
        let fixture = try APIFixture()
        let (open, community) = (
            try await fixture.image(owner: "mine", visibility: .public),
            try await fixture.image(owner: "mine", visibility: .community)
        )
        let (shared, secret) = (
            try await fixture.image(owner: "mine"), try await fixture.image(owner: "mine", visibility: .private)
        )
        let now = Date.now
        try await fixture.catalog.add(Member(image: shared, project: "other", createdAt: now, updatedAt: now))
        func ids(_ images: ImageID...) -> Set<String> { Set(images.map(\.description)) }
        #expect(try await listed(fixture, "", as: Self.owner) == ids(open, community, shared, secret))
        #expect(try await listed(fixture, "", as: Self.stranger) == ids(open))
        #expect(try await listed(fixture, "?visibility=community", as: Self.stranger) == ids(community))
        #expect(try await listed(fixture, "?visibility=all", as: Self.stranger) == ids(open, community))
        #expect(try await listed(fixture, "?member_status=pending", as: Self.stranger) == ids(open, shared))
        #expect(try await listed(fixture, "?member_status=all&visibility=shared", as: Self.stranger) == ids(shared))
        #expect(try await listed(fixture, "?visibility=private", as: Self.stranger) == [])
        #expect(try await listed(fixture, "", as: .everybody) == ids(open, shared, secret))
        _ = try await fixture.catalog.setStatus(.accepted, of: "other", in: shared, at: now)
        #expect(try await listed(fixture, "", as: Self.stranger) == ids(open, shared))
    }

    @Test("Locations are shown only to callers that may see them")
    func locationsAreShownOnlyToCallersThatMaySeeThem() async throws {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine", visibility: .public)
        let added = try await fixture.send(
            .patch, "/v2/images/\(image)", type: Self.patchType,
            #"[{"op": "add", "path": "/locations/-", "value": {"url": "http://127.0.0.1:1/x", "metadata": {}}}]"#)
        #expect(added.status == 200 && added["status"] == "active" && added["direct_url"] == "http://127.0.0.1:1/x")
        let trusted = Caller(user: "t", project: "other", roles: [.trusted])
        for (caller, sees, lists) in [
            (Self.owner, false, false), (Self.stranger, false, false), (Self.service, false, true), (trusted, true, false),
            (.everybody, true, true),
        ] {
            let shown = try await fixture.send(.get, "/v2/images/\(image)", as: caller)
            #expect((shown["locations"] != nil) == sees && (shown["direct_url"] != nil) == sees, "\(caller.user)")
            let list = try await fixture.send(.get, "/v2/images/\(image)/locations", as: caller)
            #expect(list.status == (lists ? 200 : 403))
        }
    }

    @Test("Only an administrator may download a deactivated image")
    func onlyAnAdministratorMayDownloadADeactivatedImage() async throws {
        let fixture = try APIFixture()
        let image = try await fixture.image(owner: "mine", isActive: true)
        #expect(try await fixture.send(.post, "/v2/images/\(image)/actions/deactivate", as: Self.owner).status == 204)
        for method in [HTTPRequest.Method.get, .head] {
            #expect(try await fixture.send(method, "/v2/images/\(image)/file", as: Self.owner).status == 403)
            #expect(try await fixture.send(method, "/v2/images/\(image)/file").status == 204)
        }
        #expect(try await fixture.send(.get, "/v2/images/\(image)", as: Self.owner)["status"] == "deactivated")
        #expect(try await fixture.send(.post, "/v2/images/\(image)/actions/reactivate", as: Self.owner).status == 204)
    }
}
