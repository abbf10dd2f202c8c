import Access
import Foundation
import HTTPTypes
import ImageModel
import Testing

@testable import GlanceAPI
@testable import HTTPServing

@Suite struct ImagePatchTests {
    static func json(_ text: String) throws -> JSONValue {
        try JSONValue(reading: text.utf8)
    }

    static let start = Date(timeIntervalSince1970: 1_790_000_000)
    static let admin = Caller.everybody
    static let member = Caller(user: "u", project: "mine", roles: [.reader, .member])

    static func image() -> Image {
        Image(
            id: ImageID(), name: "n", diskFormat: .raw, containerFormat: .bare, owner: "mine", tags: ["t"],
            properties: ["here": "1", "a/b~c": "2"], createdAt: start, updatedAt: start)
    }

    /// The image after a patch, or the error that refuses it.
    static func apply(
        _ text: String, _ draft: ImagePatch.Draft, to image: Image = image(), by caller: Caller = admin
    ) throws -> Result<Image, APIError> {
        var image = image
        do throws(APIError) {
            let patch = try ImagePatch((try? json(text)) ?? .null, draft: draft)
            for operation in patch.operations { try patch.apply(operation, to: &image, by: caller) }
            return .success(image)
        } catch {
            return .failure(error)
        }
    }

    @Test("Both patch drafts have the same effect")
    func bothDraftsHaveTheSameEffect() throws {
        let ten = """
            [{"op": "replace", "path": "/name", "value": "x"}, {"op": "add", "path": "/new", "value": "y"},
             {"op": "remove", "path": "/here"}, {"op": "replace", "path": "/tags", "value": ["a", "b", "a"]},
             {"op": "replace", "path": "/min_disk", "value": 3}, {"op": "replace", "path": "/protected", "value": true},
             {"op": "replace", "path": "/a~1b~0c", "value": "3"}, {"op": "replace", "path": "/visibility", "value": "public"},
             {"op": "replace", "path": "/disk_format", "value": "iso"}, {"op": "replace", "path": "/owner", "value": "o"},
             {"op": "replace", "path": "/os_hidden", "value": true}, {"op": "replace", "path": "/min_ram", "value": 4}]
            """
        let four = """
            [{"replace": "/name", "value": "x"}, {"add": "/new", "value": "y"}, {"remove": "/here"},
             {"replace": "/tags", "value": ["a", "b", "a"]}, {"replace": "/min_disk", "value": 3},
             {"replace": "/protected", "value": true}, {"replace": "/a~1b~0c", "value": "3"},
             {"replace": "/visibility", "value": "public"}, {"replace": "/disk_format", "value": "iso"},
             {"replace": "/owner", "value": "o"}, {"replace": "/os_hidden", "value": true}, {"replace": "/min_ram", "value": 4}]
            """
        let before = Self.image()
        var expected = before
        expected.name = "x"
        expected.properties = ["new": "y", "a/b~c": "3"]
        expected.tags = ["a", "b"]
        expected.minDisk = 3
        expected.minRAM = 4
        expected.isProtected = true
        expected.isHidden = true
        expected.visibility = .public
        expected.diskFormat = .iso
        expected.owner = "o"
        #expect(try Self.apply(ten, .ten, to: before).get() == expected)
        #expect(try Self.apply(four, .four, to: before).get() == expected)
    }

    /// Glance's answers to everything that can't be done.
    @Test(
        "An operation that is not possible is refused as Glance refuses it",
        arguments: [
            (#"{"op": "add", "path": "/a", "value": "b"}"#, 400), ("[1]", 400), ("[{}]", 400), ("null", 400),
            (#"[{"op": "move", "path": "/a", "from": "/b"}]"#, 400), (#"[{"op": "add", "value": "b"}]"#, 400),
            (#"[{"op": "add", "path": "/a"}]"#, 400), (#"[{"op": "add", "path": "a", "value": "b"}]"#, 400),
            (#"[{"op": "add", "path": "/a/b", "value": "b"}]"#, 400), (#"[{"op": "add", "path": "/", "value": "b"}]"#, 400),
            (#"[{"op": "add", "path": "/a/", "value": "b"}]"#, 400), (#"[{"op": "add", "path": "/a~2", "value": "b"}]"#, 400),
            (#"[{"op": "add", "path": "/a~", "value": "b"}]"#, 400), (#"[{"op": "add", "path": "//a", "value": "b"}]"#, 400),
            (#"[{"op": "replace", "path": "/locations/0", "value": {}}]"#, 400),
            (#"[{"op": "add", "path": "/locations", "value": []}]"#, 400),
            (#"[{"op": "remove", "path": "/locations"}]"#, 400), (#"[{"op": "add", "path": "/tags/-", "value": "x"}]"#, 400),
            (#"[{"op": "add", "path": "/x", "value": 5}]"#, 400), (#"[{"op": "add", "path": "/x", "value": null}]"#, 400),
            (#"[{"op": "replace", "path": "/name", "value": 5}]"#, 400),
            (#"[{"op": "replace", "path": "/visibility", "value": "secret"}]"#, 400),
            (#"[{"op": "replace", "path": "/visibility", "value": null}]"#, 400),
            (#"[{"op": "replace", "path": "/disk_format", "value": "floppy"}]"#, 400),
            (#"[{"op": "replace", "path": "/min_ram", "value": -1}]"#, 400),
            (#"[{"op": "replace", "path": "/min_ram", "value": "1"}]"#, 400),
            (#"[{"op": "replace", "path": "/protected", "value": "yes"}]"#, 400),
            (#"[{"op": "replace", "path": "/tags", "value": "x"}]"#, 400),
            (#"[{"op": "replace", "path": "/id", "value": "x"}]"#, 403), (#"[{"op": "remove", "path": "/status"}]"#, 403),
            (#"[{"op": "replace", "path": "/size", "value": 1}]"#, 403),
            (#"[{"op": "add", "path": "/self", "value": "x"}]"#, 403),
            (#"[{"op": "add", "path": "/os_hash_algo", "value": "x"}]"#, 403),
            (#"[{"op": "add", "path": "/deleted", "value": "x"}]"#, 403),
            (#"[{"op": "add", "path": "/location", "value": "x"}]"#, 403),
            (#"[{"op": "add", "path": "/os_glance_x", "value": "x"}]"#, 403), (#"[{"op": "remove", "path": "/name"}]"#, 403),
            (#"[{"op": "remove", "path": "/tags"}]"#, 403), (#"[{"op": "replace", "path": "/none", "value": "x"}]"#, 409),
            (#"[{"op": "remove", "path": "/none"}]"#, 409),
        ])
    func anImpossibleOperationIsRefusedAsInGlance(text: String, status: Int) throws {
        guard case .failure(let error) = try Self.apply(text, .ten) else {
            Issue.record("\(text) was taken")
            return
        }
        #expect(error.status.code == status, "\(error)")
    }

    @Test("The drafts differ in adding a property that exists already")
    func theDraftsDifferInAddingAnExistingProperty() throws {
        #expect(try Self.apply(#"[{"op": "add", "path": "/here", "value": "2"}]"#, .ten).get().properties["here"] == "2")
        #expect(try Self.apply(#"[{"op": "add", "path": "/name", "value": "2"}]"#, .ten).get().name == "2")
        for path in ["/here", "/name"] {
            guard case .failure(let error) = try Self.apply(#"[{"add": "\#(path)", "value": "2"}]"#, .four) else {
                Issue.record("add replaced \(path)")
                continue
            }
            #expect(error.status == .conflict)
        }
        for text in [#"[{"add": "/a", "remove": "/b", "value": "c"}]"#, #"[{"op": "add", "path": "/a", "value": "b"}]"#] {
            guard case .failure(let error) = try Self.apply(text, .four) else {
                Issue.record("\(text) was taken")
                continue
            }
            #expect(error.status == .badRequest)
        }
    }

    @Test("A change that only administrators may make is forbidden to others")
    func aChangeForAdministratorsIsForbiddenToOthers() throws {
        for text in [
            #"[{"op": "replace", "path": "/visibility", "value": "public"}]"#,
            #"[{"op": "replace", "path": "/owner", "value": "other"}]"#,
        ] {
            guard case .failure(let error) = try Self.apply(text, .ten, by: Self.member) else {
                Issue.record("\(text) was taken")
                continue
            }
            #expect(error.status == .forbidden)
        }
        let same =
            #"[{"op": "replace", "path": "/owner", "value": "mine"}, {"op": "replace", "path": "/visibility", "value": "community"}]"#
        #expect(try Self.apply(same, .ten, by: Self.member).get().visibility == .community)
        var published = Self.image()
        published.visibility = .public
        let back = try Self.apply(
            #"[{"op": "replace", "path": "/visibility", "value": "private"}]"#, .ten, to: published, by: Self.member)
        #expect(throws: APIError.self, "a public image stays so, too") { try back.get() }
    }

    @Test("The formats change only while the image is queued")
    func formatsChangeOnlyWhileTheImageIsQueued() throws {
        for name in ["disk_format", "container_format"] {
            var active = Self.image()
            active.status = .active
            let value = name == "disk_format" ? "iso" : "ova"
            let text = #"[{"op": "replace", "path": "/\#(name)", "value": "\#(value)"}]"#
            guard case .failure(let error) = try Self.apply(text, .ten, to: active) else {
                Issue.record("\(name) was changed")
                continue
            }
            #expect(error.status == .forbidden)
        }
    }
}
