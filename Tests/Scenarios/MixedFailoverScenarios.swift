import FaultyOrigin
import Foundation
import Testing

/// One image in stores of different kinds: whichever dies in mid-stream, any other finishes the download.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MixedFailoverScenarios {
    static let content = PatternedContent(size: 40_000_003, seed: 103)

    struct Pair: Sendable, CustomTestStringConvertible {
        let first, second: BackendKind
        var testDescription: String { "\(first) to \(second)" }
    }

    static let pairs = BackendKind.allCases.flatMap { first in
        BackendKind.allCases.filter { $0 != first }.map { Pair(first: first, second: $0) }
    }

    @Test("When one store dies in mid-stream, another finishes the download", arguments: pairs)
    func whenOneStoreDiesAnotherFinishesTheDownload(pair: Pair) async throws {
        let directory = try TestDirectory()
        let first = try await PlacedContent(Self.content, in: pair.first, as: "first", directory)
        let second = try await PlacedContent(Self.content, in: pair.second, as: "second", directory)
        let baton = try await BatonProcess(
            backends: ["first": first.configuration, "second": second.configuration], settings: BatonProcess.timeout,
            directory: directory)
        let image = try await baton.addImage(of: Self.content, at: [first.url, second.url])
        for location in try await baton.locations(of: image) { #expect(location["status"] as? String == "active") }
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 4_000_000, expected: (Self.content, 0))
            try first.die()
            client.receiveBody(&response, expected: (Self.content, 0))
            return response
        }
        #expect(response.status == 200)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"]?.map { $0.prefix { $0 != " " } } == ["first", "second"])
        #expect(relay.fields["failures"]?.first?.hasPrefix("first ") == true)
    }

    /// One representation in all four kinds at once: each in turn serves, dies and is replaced by the next.
    @Test("A download survives the death of three of four stores")
    func aDownloadSurvivesTheDeathOfThreeStores() async throws {
        // The bytes in buffers on the way, perhaps tens of megabytes, must not reach the point where the next one dies.
        let content = PatternedContent(size: 160_000_007, seed: 113)
        let directory = try TestDirectory()
        var placed: [String: PlacedContent] = [:]
        for kind in BackendKind.allCases {
            placed["\(kind)"] = try await PlacedContent(content, in: kind, as: "\(kind)", directory)
        }
        let stores = placed
        let baton = try await BatonProcess(
            backends: stores.mapValues(\.configuration), settings: BatonProcess.timeout, directory: directory)
        let order = BackendKind.allCases.map { "\($0)" }
        let image = try await baton.addImage(of: content, at: order.compactMap { stores[$0]?.url })
        let port = baton.port
        let response = try await onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            for (count, name) in zip([1, 2, 3], order) {
                client.receiveBody(&response, upTo: Int64(count) * 40_000_000, expected: (content, 0))
                try stores[name]?.die()
            }
            client.receiveBody(&response, expected: (content, 0))
            return response
        }
        #expect(response.status == 200)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"]?.map { String($0.prefix { $0 != " " }) } == order)
    }
}
