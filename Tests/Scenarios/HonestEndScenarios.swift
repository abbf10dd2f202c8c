import FaultyOrigin
import Foundation
import Testing

/// Responses when no location can serve, or when the served bytes are wrong.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HonestEndScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 4)
    static let shortTimeouts = "relay: { stall_timeout: 300ms, connect_timeout: 1s, give_up_after: 1s, backoff: 20ms }"

    @Test("When no location can serve the first byte, the response is 503 with each reason")
    func beforeTheFirstByteTheResponseIs503WithEachReason() async throws {
        let broken = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(500) }
        let gone = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .status(404) }
        defer { for origin in [broken, gone] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["broken": broken, "gone": gone], settings: Self.shortTimeouts)
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([broken.url(), gone.url()], to: image, of: Self.content)
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 503)
        #expect(response.headers["retry-after"] != nil)
        let error = try #require(response.json["error"] as? [String: Any])
        let reasons = try #require(error["locations"] as? [[String: Any]])
        let byID = Dictionary(uniqueKeysWithValues: reasons.map { ($0["id"] as? String ?? "", $0["reason"] as? String ?? "") })
        #expect(byID == [ids[0]: "server-error", ids[1]: "missing"])
        #expect(!response.text.contains("127.0.0.1"), "the response reveals no location's address")
        #expect(await baton.relay(of: image)["outcome"] == "refused")
    }

    @Test("When no location can continue in mid-stream, the response is cut short")
    func inMidStreamTheResponseIsCutShort() async throws {
        let dying = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.range?.first == 0 ? .reset(after: 3_000_000) : .status(500)
        }
        defer { dying.stop() }
        let baton = try await BatonProcess(origins: ["dying": dying], settings: Self.shortTimeouts)
        let image = try await baton.addImage(of: Self.content, at: [dying.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 200)
        #expect(!response.isComplete)
        #expect(response.count <= 3_000_000)
        #expect(response.firstWrongByte == nil, "the bytes sent are right")
        #expect(await baton.relay(of: image)["outcome"] == "exhausted")
    }

    @Test("A corrupted byte cuts the response and puts the representation on integrity hold")
    func aCorruptedByteCutsTheResponseAndPutsItOnHold() async throws {
        // The first read is corrupt, and no later one ends: the hold cannot be released while the test checks it.
        let corrupt = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.index == 1 ? .corrupt(at: 1_234_567) : .stall(after: 1000)
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["corrupt": corrupt, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [corrupt.url(), sound.url()])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.status == 200)
        #expect(!response.isComplete)
        #expect(response.count <= Self.content.size - (1 << 20), "the tail is held back until the image is verified")
        #expect(await baton.relay(of: image)["outcome"] == "digest-mismatch")
        #expect(await baton.logged { $0.event == "representation.integrity_hold" }.level == "error")
        let records = try await baton.locations(of: image)
        #expect(records.map { $0["suspect"] as? Bool } == [true, false])

        let head = try await baton.send("HEAD", "/v2/images/\(image)/file")
        #expect(head.headers["accept-ranges"] == "none")
        let next = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=3000000-"])
        #expect(next.status == 200, "a range is answered with the whole image while on integrity hold")
        #expect(next.isComplete)
        #expect(next.firstWrongByte == nil)
        let secondRelay = await baton.logged { $0.event == "download.finished" && $0["outcome"] == "finished" }
        #expect(secondRelay.fields["served"] == ["sound 0-\(Self.content.size - 1)"])
    }

    @Test("Resuming a corrupt download with curl never succeeds with a corrupt file")
    func resumingWithCurlNeverSucceedsWithACorruptFile() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 1_234_567) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["corrupt": corrupt, "sound": sound])
        let image = try await baton.addImage(of: Self.content, at: [corrupt.url(), sound.url()])
        let url = "http://127.0.0.1:\(baton.port)/v2/images/\(image)/file"
        let file = baton.directory.file("resumed")
        let first = try await BatonCommand.run(["-s", "-o", file, url], program: "/usr/bin/curl")
        #expect(first.status != 0)
        // Two reads of it alone find the corrupt location; also after that the partial file must not be completed.
        _ = await baton.logged { $0.event == "location.quarantined" }
        for _ in 0..<3 {
            let resumed = try await BatonCommand.run(["-s", "-C", "-", "-o", file, url], program: "/usr/bin/curl")
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
            let isExact = bytes == Self.content.bytes(in: 0..<Self.content.size)
            #expect(resumed.status != 0 || isExact)
        }
        let records = try await baton.locations(of: image)
        #expect(records.map { $0["status"] as? String } == ["quarantined", "active"])
    }

    @Test("A small image that is corrupt at one location is fetched from another before any byte is sent")
    func aSmallCorruptImageIsFetchedFromAnotherLocation() async throws {
        let small = PatternedContent(size: 700_001, seed: 5)
        let corrupt = try FaultyOrigin(small) { $0.isProbe ? .sound : .corrupt(at: 5) }
        let sound = try FaultyOrigin(small)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["corrupt": corrupt, "sound": sound])
        let image = try await baton.addImage(of: small, at: [corrupt.url(), sound.url()])
        let response = try await baton.download(image, of: small)
        #expect(response.status == 200)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
    }

    @Test("An empty image is served without a range request")
    func anEmptyImageIsServedWithoutARange() async throws {
        let empty = PatternedContent(size: 0, seed: 6)
        let origin = try FaultyOrigin(empty)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: empty, at: [origin.url()])
        let response = try await baton.download(image, of: empty)
        #expect(response.status == 200)
        #expect(response.headers["content-length"] == "0")
        #expect(origin.record.requests.allSatisfy { $0["range"] == nil })
    }
}
