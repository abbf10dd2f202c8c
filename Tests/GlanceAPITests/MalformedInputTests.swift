import Access
import Foundation
import HTTPTypes
import ImageCatalog
import ImageModel
import Testing

@testable import GlanceAPI
@testable import HTTPServing

/// What clients send is read without a trap, however broken it is. Seeds are the arguments, so that a crash names its own.
@Suite struct MalformedInputTests {
    /// A sound text with a few bytes changed, taken out or put in.
    private static func mutants(of sound: String, seed: Int, count: Int) -> [String] {
        var state = UInt64(seed) &+ 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        let alphabet = Array("{}[]\":,/~0129-+%=&.# \\ein\u{E4}\0\u{7F}".utf8)
        return (0..<count).map { _ in
            var mutant = Array(sound.utf8)
            for _ in 0...random(6) {
                let position = random(mutant.count)
                switch random(3) {
                case 0: mutant[position] = alphabet[random(alphabet.count)]
                case 1: mutant.remove(at: position)
                default: mutant.insert(alphabet[random(alphabet.count)], at: position)
                }
            }
            return String(decoding: mutant, as: UTF8.self)
        }
    }

    @Test("A mutated patch is read or refused with a message", arguments: 0..<20)
    func aMutatedPatchIsReadOrRefused(seed: Int) throws {
        let sound = """
            [{"op": "replace", "path": "/name", "value": "x"}, {"op": "add", "path": "/a~1b", "value": "y"},
             {"op": "add", "path": "/locations/-", "value": {"url": "http://h/x#1", "metadata": {"k": ["v"]},
              "validation_data": {"os_hash_algo": "sha256", "os_hash_value": "00"}}}, {"op": "remove", "path": "/locations/0"}]
            """
        for text in Self.mutants(of: sound, seed: seed, count: 300) {
            guard let value = try? ImagePatchTests.json(text) else { continue }
            for draft in ImagePatch.Draft.allCases {
                do throws(APIError) {
                    let patch = try ImagePatch(value, draft: draft)
                    _ = try LocationOperations.entries(of: patch)
                    var image = ImagePatchTests.image()
                    for operation in patch.operations { try patch.apply(operation, to: &image, by: .everybody) }
                } catch {
                    #expect([400, 403, 409, 413].contains(error.status.code) && !error.message.isEmpty)
                }
            }
        }
    }

    @Test("A mutated query is read or refused with a message", arguments: 0..<20)
    func aMutatedQueryIsReadOrRefused(seed: Int) throws {
        let sound =
            "limit=5&marker=7c1f6c1e-55a0-4f0e-9f5b-0d0c8a4c2b11&name=in:%22a,b%22,c&created_at=gt:2026-09-01T10:00:00%2B02:00"
            + "&sort=name:asc,size:desc&size_min=1&size_max=9223372036854775807&tag=%C3%A4&x=y+z&member_status=all&protected=true"
        for text in Self.mutants(of: sound, seed: seed, count: 300) {
            do throws(APIError) {
                let request = try ImageListRequest(text, by: .everybody)
                #expect((0...1000).contains(request.query.limit))
                // The link to the next page means the same.
                let next = request.next(behind: ImageID())
                let again = try ImageListRequest(String(next.drop { $0 != "?" }.dropFirst()), by: .everybody)
                #expect(again.query.filters == request.query.filters && again.query.order == request.query.order)
            } catch {
                #expect(error.status == .badRequest && !error.message.isEmpty)
            }
        }
    }
}
