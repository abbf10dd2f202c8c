import Access
import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Testing

@testable import GlanceAPI
@testable import HTTPServing

/// Which changes to an image's locations Glance allows, without any catalog or backend.
@Suite struct LocationOperationsTests {
    static let sha512 = String(repeating: "d", count: 128)
    static let md5 = String(repeating: "1", count: 32)
    static let claim = #""validation_data": {"checksum": "\#(md5)", "os_hash_algo": "sha512", "os_hash_value": "\#(sha512)"}"#

    static func image(_ status: Image.Status) -> Image {
        Image(
            id: ImageID(), status: status, diskFormat: .raw, containerFormat: .bare, createdAt: .distantPast,
            updatedAt: .distantPast)
    }

    static func new(_ image: Image, _ url: String) throws -> NewLocation {
        NewLocation(
            image: image.id, backend: BackendID("b"), path: "p", url: url, format: Format(disk: .raw, container: .bare),
            size: 1, digests: DigestSet([try Digest(.sha512, hex: sha512), try Digest(.md5, hex: md5)]))
    }

    /// The URLs that an image with those of `before` has after a patch; or the status it is refused with.
    static func apply(_ text: String, status: Image.Status, before: [String]) throws -> (urls: [String], refusal: Int?) {
        let image = image(status)
        var edit = ImageEdit(
            image: image, membership: nil, representation: nil,
            entries: try before.map { .new(ImageEdit.NewEntry(try new(image, $0))) })
        do {
            let patch = try ImagePatch(try ImagePatchTests.json(text), draft: .ten)
            var operations = LocationOperations()
            for entry in try LocationOperations.entries(of: patch) {
                operations.examined[entry.url] = try new(image, entry.url)
            }
            for operation in patch.operations { try operations.apply(operation, to: &edit) }
            return (urls(edit), nil)
        } catch let error as APIError {
            return (urls(edit), error.status.code)
        }
    }

    private static func urls(_ edit: ImageEdit) -> [String] {
        edit.entries.map { entry in
            switch entry {
            case .new(let new): new.location.url
            case .kept(let listed, _): listed.location.url
            }
        }
    }

    static func add(_ url: String, at place: String = "-", _ more: String = "") -> String {
        #"[{"op": "add", "path": "/locations/\#(place)", "value": {"url": "\#(url)", "metadata": {}\#(more)}}]"#
    }

    static func replace(_ urls: [String]) -> String {
        let list = urls.map { #"{"url": "\#($0)", "metadata": {"k": "v"}}"# }.joined(separator: ", ")
        return #"[{"op": "replace", "path": "/locations", "value": [\#(list)]}]"#
    }

    static func remove(_ place: String) -> String { #"[{"op": "remove", "path": "/locations/\#(place)"}]"# }

    @Test(
        "A change of locations that is allowed is made",
        arguments: [
            (add("c"), ["a", "b"], ["a", "b", "c"]), (add("c", at: "0"), ["a", "b"], ["c", "a", "b"]),
            (add("c", at: "1"), ["a", "b"], ["a", "c", "b"]), (add("c", at: "99"), ["a", "b"], ["a", "b", "c"]),
            (add("a#new"), ["a"], ["a", "a#new"]), (remove("0"), ["a", "b"], ["b"]), (remove("-"), ["a", "b"], ["a"]),
            (replace(["b", "a"]), ["a", "b"], ["b", "a"]), (replace(["a", "b"]), [], ["a", "b"]),
            (add("c", at: "-", ", " + claim), ["a"], ["a", "c"]),
        ])
    func anAllowedChangeIsMade(text: String, before: [String], after: [String]) throws {
        let outcome = try Self.apply(text, status: .active, before: before)
        #expect(outcome.refusal == nil && outcome.urls == after)
    }

    @Test(
        "A change of locations that is not allowed is refused and changes nothing",
        arguments: [
            (add("c"), Image.Status.saving, ["a"], 409), (add("c"), .deactivated, ["a"], 409),
            (add("c"), .importing, [], 409), (remove("0"), .queued, ["a", "b"], 409),
            (remove("0"), .deactivated, ["a", "b"], 409),
            (replace(["a"]), .saving, ["a"], 409), (add("a"), .active, ["a"], 400), (add("c", at: "x"), .active, ["a"], 400),
            (add("c", at: "-1"), .active, ["a"], 400), (remove("0"), .active, ["a"], 403),
            (remove("2"), .active, ["a", "b"], 400),
            (remove("x"), .active, ["a", "b"], 400), (replace([]), .active, ["a"], 403),
            (replace(["a"]), .active, ["a", "b"], 400),
            (replace(["a", "c"]), .active, ["a", "b"], 400), (replace(["a", "b", "c"]), .active, ["a", "b"], 400),
            (replace(["a", "a"]), .queued, [], 400), (add("c", at: "-", #", "validation_data": {}"#), .queued, [], 400),
            (add("c", at: "-", #", "validation_data": {"os_hash_algo": "sha512"}"#), .queued, [], 400),
            (add("c", at: "-", #", "validation_data": {"os_hash_algo": "crc", "os_hash_value": "aa"}"#), .queued, [], 409),
            (add("c", at: "-", #", "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "aa"}"#), .queued, [], 409),
            (add("c", at: "-", ", " + claim.replacing("dd", with: "ee")), .active, ["a"], 409),
            (add("c", at: "-", ", " + claim.replacing("11", with: "22")), .active, ["a"], 409),
            (add("c", at: "-", ", " + claim.replacing("sha512", with: "sha256")), .active, ["a"], 409),
            (add("c", at: "-", ", " + claim), .active, [], 409),
        ])
    func aForbiddenChangeIsRefusedAndChangesNothing(
        text: String, status: Image.Status, before: [String], refusal: Int
    ) throws {
        let outcome = try Self.apply(text, status: status, before: before)
        #expect(outcome.refusal == refusal && outcome.urls == before)
    }

    @Test(
        "A malformed location is a bad request",
        arguments: [
            #"{"url": "x"}"#, #"{"metadata": {}}"#, #"{"url": 5, "metadata": {}}"#, #"{"url": "", "metadata": {}}"#, "[]",
            #"{"url": "x", "metadata": []}"#, #"{"url": "x", "metadata": {"a": 5}}"#,
            #"{"url": "x", "metadata": {"a": {"b": [true]}}}"#,
            #"{"url": "\#(String(repeating: "x", count: 256))", "metadata": {}}"#,
            #"{"url": "x", "metadata": {}, "validation_data": []}"#,
        ])
    func aMalformedLocationIsABadRequest(text: String) throws {
        let value = try ImagePatchTests.json(text)
        let error = #expect(throws: APIError.self) { try LocationEntry(value) }
        #expect(error?.status == .badRequest)
    }

    @Test("Metadata keeps its structure")
    func metadataKeepsItsStructure() throws {
        let words = try LocationEntry(try ImagePatchTests.json(#"{"url": "x", "metadata": {"a": "b"}}"#))
        #expect(words.words == ["a": "b"] && words.writtenMetadata == nil)
        let nested = try LocationEntry(
            try ImagePatchTests.json(#"{"url": "x", "metadata": {"a": ["b", {"c": "d"}], "e": "f"}}"#))
        #expect(nested.writtenMetadata == #"{"a":["b",{"c":"d"}],"e":"f"}"#)
        #expect(nested.words == ["a": #"["b",{"c":"d"}]"#, "e": "f"])
    }
}
