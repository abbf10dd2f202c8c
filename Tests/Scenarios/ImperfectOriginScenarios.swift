import FaultyOrigin
import Foundation
import Testing

/// Origins that serve the right bytes in unexpected ways.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ImperfectOriginScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 141)
    /// A backoff would outlast the test, and only much progress refunds a revisit.
    static let fewRevisits = "relay: { backoff: 60s, backoff_limit: 60s, revisits: 3, refund_after: 1GiB }"

    @Test("An image is exact although every response of its only location breaks after 512 KiB", arguments: [false, true])
    func everyAnswerBreaks(isReset: Bool) async throws {
        let content = PatternedContent(size: 20 << 20, seed: 142)
        let origin = try FaultyOrigin(content) { request in
            request.isProbe ? .sound : isReset ? .reset(after: 512 << 10) : .close(after: 512 << 10)
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["breaking": origin], settings: Self.fewRevisits)
        let image = try await baton.addImage(of: content, at: [origin.url()])
        let response = try await baton.download(image, of: content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "finished")
        #expect(relay.fields["served"] == ["breaking 0-\(content.size - 1)"])
        #expect(relay.fields["failures"].map { $0.count <= 2 } == true, "one for each reason, however often it occurred")
        // This time with a manifest.
        let again = try await baton.download(image, of: content)
        #expect(again.isComplete && again.firstWrongByte == nil)
    }

    @Test("An origin that sends at most 1 MiB per response serves whole images and ranges and is verified")
    func everyAnswerIsShort() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .capped(at: 1 << 20) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["capped": origin], settings: Self.fewRevisits)
        let image = try await baton.addImage()
        let location = try await baton.addLocations([origin.url()], to: image, of: Self.content)[0]
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "finished")
        #expect(relay.fields["failures"] == nil && relay.fields["moves"] == nil)
        let range = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=1000000-3999999"], from: 1_000_000)
        #expect(range.status == 206 && range.count == 3_000_000 && range.firstWrongByte == nil)
        try await baton.operate("verify", on: location)
        _ = await baton.logged { $0.event == "location.verified" }
        #expect(try await baton.location(location)["status"] as? String == "active")
    }

    @Test(
        "A location without declared digests is read in full although its responses are short or break",
        arguments: [false, true])
    func fullReads(breaks: Bool) async throws {
        let origin = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : breaks ? .close(after: 300_000) : .capped(at: 300_000)
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let location = try await baton.addUnknownLocation(origin.url(), to: image)
        try await baton.waitUntil(location, is: "active")
        let record = try await baton.location(location)
        #expect(record["size"] as? Int64 == Self.content.size)
        #expect((record["digests"] as? [String: String])?["sha256"] == Self.content.sha256)
    }

    @Test(
        "A Content-Encoding that does not change the bytes does not delay a location",
        arguments: [["aws-chunked"], [""], ["identity, aws-chunked"], ["identity", "aws-chunked"], ["gzip"], ["x-gzip"]],
        ["probe", "verify"])
    func codings(values: [String], activation: String) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .encoded(values) }
        defer { origin.stop() }
        let http = #"driver: http, url: "\#(origin.url(""))""#
        let s3 = #"driver: s3, url: "\#(origin.url("").dropLast())", region: r, bucket: b"#
        let baton = try await BatonProcess(backends: ["web": http, "store": s3], settings: "activation: \(activation)")
        for url in [origin.url(), "s3://store/image"] {
            let image = try await baton.addImage()
            let location = try await baton.addLocations([url], to: image, of: Self.content)[0]
            try await baton.waitUntil(location, is: "active")
            let response = try await baton.download(image, of: Self.content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A Content-Encoding that changes the bytes is refused, and the response says so", arguments: ["br", "gzip, br"])
    func otherCodings(value: String) async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .encoded([value]) }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage()
        let response = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body:
                #"{"url": "\#(origin.url())", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#
        )
        #expect(response.json["status"] as? String == "pending")
        #expect(response.text.contains("encoded"))
    }

    @Test(
        "Two nodes behind one name with different ETags for the same bytes serve an image",
        arguments: [false, true])
    func tagsThatDiffer(isWeak: Bool) async throws {
        let origin = try FaultyOrigin(Self.content) { request in
            let tag = isWeak ? (request.index % 2 == 0 ? "\"v\"" : "W/\"v\"") : "\"v\(request.index % 2)\""
            return Behaviour.close(after: 900_000).tagged(tag)
        }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["nodes": origin], settings: Self.fewRevisits)
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        for _ in 0..<3 {
            let response = try await baton.download(image, of: Self.content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("A range that meets another object gets the whole image when there is no manifest")
    func rangeOfAnotherObject() async throws {
        let origin = try FaultyOrigin(Self.content) { $0.index == 0 ? .sound : .etag("\"v2\"") }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["origin": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        let response = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=1000-1999"])
        #expect(response.status == 200)
        #expect(response.isComplete && response.firstWrongByte == nil)
    }

    @Test("An object that is replaced while it is read never completes a download, and another location does")
    func exchangedObject() async throws {
        let other = PatternedContent(size: Self.content.size, seed: 143)
        let exchanged = try FaultyOrigin(Self.content) { request in
            request.isProbe || request.range?.first == 0 ? .close(after: 1_000_000) : .etag("\"v2\"").serving(other)
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [exchanged, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": exchanged, "b": sound], settings: "selection: { strategy: ordered }")
        let alone = try await baton.addImage(of: Self.content, at: [exchanged.url()])
        let cut = try await baton.download(alone, of: Self.content)
        #expect(!cut.isComplete)
        let both = try await baton.addImage(of: Self.content, at: [exchanged.url(), sound.url()])
        let response = try await baton.download(both, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
    }
}
