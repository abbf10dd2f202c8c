import Access
import Foundation
import ImageCatalog
import ImageModel
import Testing

@testable import GlanceAPI
@testable import HTTPServing

@Suite struct DiscoveryTests {
    @Test(
        "All minor versions are one API",
        arguments: [
            ("/v2.0/images", nil, "/v2/images"), ("/v2.17/images?limit=1", nil, "/v2/images?limit=1"), ("/v2/images", nil, nil),
            ("/v2.15", nil, "/v2"), ("/v2.99/images", nil, nil), ("/v2.x/images", nil, nil), ("/v20/images", nil, nil),
            ("/v1/images", nil, nil), ("/", "application/vnd.openstack.images-v2", nil),
            ("/images", "application/vnd.openstack.images-v2", "/v2/images"),
            ("/images?limit=1", "application/vnd.openstack.images-v2.9", "/v2/images?limit=1"),
            ("/images", "application/vnd.openstack.images-v3", nil), ("/images", "application/vnd.openstack.images-v2.99", nil),
            ("/v2/images", "application/vnd.openstack.images-v2", nil),
            ("/versions", "application/vnd.openstack.images-v2", nil),
            ("/images", "*/*", nil),
        ] as [(String, String?, String?)])
    func allMinorVersionsAreOneAPI(path: String, accept: String?, plain: String?) {
        #expect(VersionRoutes.plainPath(path, accept: accept) == plain)
    }

    /// A model that glanceclient makes of a schema refuses what is not in it, unless it is a string.
    @Test("Every property of a document is in its schema")
    func everyPropertyOfADocumentIsInItsSchema() throws {
        let image = Image(id: ImageID(), status: .active, createdAt: .distantPast, updatedAt: .distantPast)
        let document = JSONValue.image(ImageRecord(new: image), for: .everybody)
        let properties = try #require(SchemaDocuments.byName["image"]?.members?["properties"]?.members)
        for name in try #require(document.members).keys { #expect(properties[name] != nil, "\(name)") }
        for name in ["locations", "direct_url"] { #expect(properties[name] != nil) }
        #expect(Set(SchemaDocuments.byName.keys) == ["image", "images", "member", "members", "task", "tasks"])
        for (name, schema) in SchemaDocuments.byName where !name.hasPrefix("task") {
            #expect(schema.members?["name"] == .string(name))
        }
    }

    @Test("Locations are in the document only for callers that may see them")
    func locationsAreInTheDocumentOnlyForSomeCallers() throws {
        let image = Image(id: ImageID(), status: .active, createdAt: .distantPast, updatedAt: .distantPast)
        for role in Caller.Role.allCases {
            let caller = Caller(user: "u", project: nil, roles: [role])
            let members = try #require(JSONValue.image(ImageRecord(new: image), for: caller).members)
            #expect((members["locations"] != nil) == [.admin, .trusted].contains(role))
        }
    }

    @Test("A property of a user never hides one of the service")
    func aPropertyOfAUserNeverHidesOneOfTheService() throws {
        var image = Image(id: ImageID(), createdAt: .distantPast, updatedAt: .distantPast)
        image.properties = ["id": "x", "status": "active", "colour": "red"]
        let members = try #require(JSONValue.image(ImageRecord(new: image), for: .everybody).members)
        #expect(members["id"] == .string(image.id.description) && members["status"] == "queued")
        #expect(members["colour"] == "red")
    }
}
