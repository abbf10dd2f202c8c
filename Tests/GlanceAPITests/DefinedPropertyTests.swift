import Foundation
import HTTPTypes
import ImageModel
import Testing

@testable import APIFixture
@testable import GlanceAPI
@testable import HTTPServing

/// The properties that the schema-image.json of Glance defines: types and patterns as there.
@Suite struct DefinedPropertyTests {
    private static let uuid = "7C1F6C1E-55a0-4f0e-9f5b-0d0c8a4c2b11"

    private func create(_ fixture: APIFixture, _ name: String, _ value: JSONValue) async throws -> APIFixture.Answer {
        let body = try JSONValue.object([name: value]).written()
        return try await fixture.send(.post, "/v2/images", String(decoding: body, as: UTF8.self))
    }

    @Test("kernel_id and ramdisk_id accept a UUID or null and show it unchanged", arguments: ["kernel_id", "ramdisk_id"])
    func imageIDs(name: String) async throws {
        let fixture = try APIFixture()
        for value: JSONValue in [.null, .string(Self.uuid)] {
            let created = try await create(fixture, name, value)
            #expect(created.status == 201 && created[name] == value)
            let id = try #require(created["id"]?.text)
            #expect(try await fixture.send(.get, "/v2/images/\(id)")[name] == value)
        }
        for value: JSONValue in [
            "x", "", 5, true, [], .string(Self.uuid + "0"), .string(Self.uuid + "\n"), "7c1f6c1e55a04f0e9f5b0d0c8a4c2b11",
        ] {
            #expect(try await create(fixture, name, value).status == 400, "\(value)")
        }
    }

    @Test(
        "The other properties accept only strings",
        arguments: ["instance_uuid", "architecture", "os_distro", "os_version", "description", "anything"])
    func strings(name: String) async throws {
        let fixture = try APIFixture()
        #expect(try await create(fixture, name, "no UUID")[name] == "no UUID")
        for value: JSONValue in [.null, 5, ["x"]] { #expect(try await create(fixture, name, value).status == 400, "\(value)") }
    }

    @Test("A patch adds, replaces and removes a null")
    func patches() async throws {
        let fixture = try APIFixture()
        let id = try await fixture.image(owner: nil)
        func patch(_ operation: String) async throws -> APIFixture.Answer {
            try await fixture.send(.patch, "/v2/images/\(id)", type: ImagePatch.Draft.ten.rawValue, "[\(operation)]")
        }
        #expect(try await patch(#"{"op": "add", "path": "/kernel_id", "value": null}"#)["kernel_id"] == .null)
        let replaced = try await patch(#"{"op": "replace", "path": "/kernel_id", "value": "\#(Self.uuid)"}"#)
        #expect(replaced["kernel_id"] == .string(Self.uuid))
        #expect(try await patch(#"{"op": "replace", "path": "/kernel_id", "value": null}"#)["kernel_id"] == .null)
        #expect(try await patch(#"{"op": "replace", "path": "/kernel_id", "value": "x"}"#).status == 400)
        #expect(try await patch(#"{"op": "remove", "path": "/kernel_id"}"#)["kernel_id"] == nil)
        #expect(try await fixture.send(.get, "/v2/images?kernel_id=x")["images"] == .array([]))
    }

    @Test("The schema of images has the same types and patterns")
    func schema() throws {
        let properties = try #require(SchemaDocuments.byName["image"]?.members?["properties"]?.members)
        for property in DefinedProperty.allCases {
            let schema = try #require(properties[property.rawValue]?.members)
            #expect(schema["type"] == (property.isImageID ? ["null", "string"] : "string"))
            #expect((schema["pattern"] != nil) == property.isImageID && schema["is_base"] == false)
        }
    }
}
