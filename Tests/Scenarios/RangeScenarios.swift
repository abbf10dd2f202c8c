import FaultyOrigin
import Foundation
import Glibc
import Testing

/// A range is served only if it can be verified; otherwise the response is the whole image, which is verified.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RangeScenarios {
    static let small = PatternedContent(size: 1024, seed: 121)
    static let content = PatternedContent(size: 3_000_017, seed: 122)

    /// All spellings of a range that covers content of that size.
    static func spellings(of size: Int64) -> [[String: String]] {
        [
            ["Range": "bytes=0-"], ["Range": "bytes=0-\(size - 1)"], ["Range": "bytes=0-\(size)"],
            ["Range": "bytes=0-99999999999999999999"], ["Range": "bytes=-\(size)"], ["Range": "bytes=-\(size + 1)"],
            ["Range": " Bytes = 0- "], ["Content-Range": "bytes 0-\(size - 1)/\(size)"],
            ["Content-Range": "bytes 0-\(size - 1)/*"], ["Content-Range": "bytes 0-/*"],
        ]
    }

    /// Ranges that do not cover the whole content.
    static func parts(of size: Int64) -> [[String: String]] {
        [
            ["Range": "bytes=0-0"], ["Range": "bytes=5-5"], ["Range": "bytes=\(size - 1)-"], ["Range": "bytes=-1"],
            ["Range": "bytes=1-"], ["Range": "bytes=0-\(size - 2)"], ["Content-Range": "bytes 1-2/*"],
        ]
    }

    @Test("No spelling of a range delivers a wrong byte of an image that was never read")
    func rangesOfAFreshCorruptImage() async throws {
        let corrupt = try FaultyOrigin(Self.small) { $0.isProbe ? .sound : .corrupt(at: 5) }
        defer { corrupt.stop() }
        let baton = try await BatonProcess(origins: ["a": corrupt])
        let tag = "\"sha256-\(Self.small.sha256)\""
        for headers in Self.spellings(of: 1024) + Self.parts(of: 1024) {
            for further in [[:], ["If-Range": tag], ["If-Range": "\"x\""]] {
                // A new image for each: the first request of an image must be right.
                let image = try await baton.addImage(of: Self.small, at: [corrupt.url()])
                let response = try await baton.download(
                    image, of: Self.small, headers: headers.merging(further) { given, _ in given })
                #expect(response.status == 503, "\(headers)")
            }
        }
    }

    @Test("A range of an image that was never read gets the whole image, from the sound location")
    func rangesOfAFreshImageAreIgnored() async throws {
        let corrupt = try FaultyOrigin(Self.small) { $0.isProbe ? .sound : .corrupt(at: 5) }
        let sound = try FaultyOrigin(Self.small)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": corrupt, "b": sound])
        for headers in Self.spellings(of: 1024) + Self.parts(of: 1024) {
            let image = try await baton.addImage(of: Self.small, at: [corrupt.url(), sound.url()])
            let response = try await baton.download(image, of: Self.small, headers: headers)
            #expect(response.status == 200, "\(headers)")
            #expect(response.headers["accept-ranges"] == "none" && response.headers["content-range"] == nil)
            #expect(response.isComplete && response.firstWrongByte == nil, "\(headers)")
        }
    }

    @Test("A range over all of a large corrupt image never completes")
    func coveringRangesOfALargeCorruptImage() async throws {
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 1_000_000) }
        defer { corrupt.stop() }
        let baton = try await BatonProcess(origins: ["a": corrupt])
        for headers in Self.spellings(of: Self.content.size) {
            let image = try await baton.addImage(of: Self.content, at: [corrupt.url()])
            let response = try await baton.download(image, of: Self.content, headers: headers)
            #expect(response.status == 200 && !response.isComplete, "\(headers)")
            #expect(response.count <= Self.content.size - (1 << 20), "the tail is held back")
        }
    }

    @Test(
        "Every spelling of a range over all of a verified image is answered with 206",
        arguments: [true, false])
    func coveringRangesOfAVerifiedImage(hasManifest: Bool) async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin])
        let size = Self.content.size
        for headers in Self.spellings(of: size) {
            let image = try await baton.addImage(of: Self.content, at: [origin.url()])
            if hasManifest {
                try await baton.verifyLocations(of: image)
            } else {
                try await baton.verifyLocationsAndForgetManifest(of: image)
            }
            #expect(try await baton.send("HEAD", "/v2/images/\(image)/file").headers["accept-ranges"] == "bytes")
            let response = try await baton.download(image, of: Self.content, headers: headers)
            #expect(response.status == 206, "\(headers)")
            #expect(response.headers["content-range"] == "bytes 0-\(size - 1)/\(size)")
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
    }

    @Test("Without a manifest, a range over the whole image is verified as a whole download")
    func coveringRangeOfAnObjectThatRotted() async throws {
        let hasRotted = Flag()
        let origin = try FaultyOrigin(Self.small) { _ in hasRotted.isSet ? .corrupt(at: 5) : .sound }
        let sound = try FaultyOrigin(Self.small)
        defer { for origin in [origin, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": origin, "b": sound])
        for headers in Self.spellings(of: 1024) {
            hasRotted.set(false)
            let image = try await baton.addImage(of: Self.small, at: [origin.url(), sound.url()])
            try await baton.verifyLocationsAndForgetManifest(of: image)
            hasRotted.set()
            let response = try await baton.download(image, of: Self.small, headers: headers)
            #expect(response.isComplete && response.firstWrongByte == nil, "\(headers)")
        }
    }

    @Test("A range of an object that was replaced since its full read gets the whole image, not 503")
    func rangeOfAnExchangedObject() async throws {
        let isExchanged = Flag()
        let origin = try FaultyOrigin(Self.content) { _ in isExchanged.isSet ? .etag("\"v2\"") : .sound }
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        try await baton.verifyLocationsAndForgetManifest(of: image)
        let before = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=1000000-1999999"], from: 1_000_000)
        #expect(before.status == 206 && before.isComplete && before.firstWrongByte == nil)
        // That range triggers a new manifest; this test needs an image without one.
        let other = try await baton.addImage(of: Self.content, at: [origin.url()])
        try await baton.verifyLocationsAndForgetManifest(of: other)
        isExchanged.set()
        let after = try await baton.download(other, of: Self.content, headers: ["Range": "bytes=1000000-1999999"])
        #expect(after.status == 200 && after.isComplete && after.firstWrongByte == nil)
    }

    @Test("A probe alone does not allow ranges")
    func rangeAfterAProbeAlone() async throws {
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let baton = try await BatonProcess(origins: ["a": origin])
        let image = try await baton.addImage(of: Self.content, at: [origin.url()])
        #expect(try await baton.location(baton.locations(of: image)[0]["id"] as? String ?? "")["status"] as? String == "active")
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain?for=range")
        let rejected = explained.json["rejected"] as? [[String: Any]]
        #expect(rejected?.first?["reason"] as? String == "not-verified", "\(explained.text)")
        #expect((explained.json["representation"] as? [String: Any])?["serves_ranges"] as? Bool == false)
        #expect(try await baton.download(image, of: Self.content, headers: ["Range": "bytes=7-9"]).status == 200)
    }

    /// Fetches one piece on a new connection, as a segmented client does: for the first piece it also accepts the beginning of a 200.
    /// - Returns: whether the client accepts the response as the piece, and whether all its bytes are right.
    private func piece(
        _ bytes: ClosedRange<Int64>, of image: String, at baton: BatonProcess
    ) async throws -> (isTaken: Bool, isRight: Bool) {
        try await onOwnThread { [port = baton.port] in
            let client = try TestClient(port: port)
            try client.send(
                "GET", "/v2/images/\(image)/file", headers: ["Range": "bytes=\(bytes.lowerBound)-\(bytes.upperBound)"])
            var response = client.receiveHead()
            let isPart = response.status == 206
            guard isPart || response.status == 200 && bytes.lowerBound == 0 else { return (false, true) }
            client.receiveBody(&response, upTo: Int64(bytes.count), expected: (Self.content, bytes.lowerBound))
            return (response.count == Int64(bytes.count), response.firstWrongByte == nil)
        }
    }

    @Test(
        "Pieces of a fresh corrupt image, fetched one after another, never make a corrupt file",
        arguments: [true, false], [true, false])
    func piecesOneAfterAnother(hasSoundLocation: Bool, isEager: Bool) async throws {
        // Unpaced, so that the first piece arrives before the location is found corrupt.
        let corrupt = try FaultyOrigin(Self.content) { $0.isProbe ? .sound : .corrupt(at: 123_456) }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(
            origins: ["a": corrupt, "b": sound],
            settings: "manifests: { eager: \(isEager) }\nmaintenance: { interval: 20ms, scrub_interval: 0s }")
        let image = try await baton.addImage()
        let urls = hasSoundLocation ? [corrupt.url(), sound.url()] : [corrupt.url()]
        let ids = try await baton.addLocations(urls, to: image, of: Self.content)
        var pieces: [(isTaken: Bool, isRight: Bool)] = []
        for first in stride(from: 0, to: Self.content.size, by: 750_005) {
            let last = min(first + 750_004, Self.content.size - 1)
            pieces.append(try await piece(first...last, of: image, at: baton))
            if first == 0, hasSoundLocation {
                // Now ranges can be verified: the rest of the file would be right.
                try await baton.operate("verify", on: ids[1])
                _ = try await baton.manifest(of: image)
            }
        }
        let isComplete = pieces.allSatisfy { $0.isTaken }
        let isRight = pieces.allSatisfy { $0.isRight }
        #expect(!isComplete || isRight, "\(pieces)")
        let areLaterOnesRight = pieces.dropFirst().allSatisfy { $0.isRight }
        #expect(areLaterOnesRight, "\(pieces)")
    }

    @Test("A range cannot complete unverified bytes until the location that served them has been read")
    func unverifiedBytesAreNotCompleted() async throws {
        let isFree = Flag()
        // Reads of it alone fail until the test allows them.
        let corrupt = try FaultyOrigin(Self.content) { request in
            if request.isProbe { return .sound }
            return request.index == 1
                ? .corrupt(at: 100_000).paced(2 << 20) : isFree.isSet ? .corrupt(at: 100_000) : .status(500)
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let baton = try await BatonProcess(origins: ["a": corrupt, "b": sound])
        let image = try await baton.addImage()
        let ids = try await baton.addLocations([corrupt.url(), sound.url()], to: image, of: Self.content)
        let path = "/v2/images/\(image)/file"
        let taken = try await onOwnThread { [port = baton.port] in
            let client = try TestClient(port: port)
            try client.send("GET", path)
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 600_000, expected: (Self.content, 0))
            return response
        }
        #expect(taken.firstWrongByte == 100_000, "the beginning leaves before it is verified")
        try await baton.operate("verify", on: ids[1])
        _ = try await baton.manifest(of: image)
        let rest = ["Range": "bytes=600000-"]
        let response = try await baton.download(image, of: Self.content, headers: rest)
        #expect(response.status == 200 && response.headers["accept-ranges"] == "none", "a range would complete a corrupt file")
        #expect(response.isComplete && response.firstWrongByte == nil)
        isFree.set()
        try await baton.operate("verify", on: ids[0])
        try await baton.waitUntil(ids[0], is: "quarantined")
        #expect(
            try await baton.download(image, of: Self.content, headers: rest).status == 200, "the client still has the bytes")
        // Another image with only the sound location is not affected.
        let other = try await baton.addImage(of: Self.content, at: [sound.url()])
        try await baton.verifyLocations(of: other)
        #expect(try await baton.download(other, of: Self.content, headers: rest, from: 600_000).status == 206)
    }

    @Test("A range cannot complete unverified bytes after the server was killed either")
    func unverifiedBytesOutliveNoServer() async throws {
        let corrupt = try FaultyOrigin(Self.content) { request in
            request.isProbe ? .sound : request.index == 1 ? .corrupt(at: 100_000).paced(2 << 20) : .status(500)
        }
        let sound = try FaultyOrigin(Self.content)
        defer { for origin in [corrupt, sound] { origin.stop() } }
        let first = try await BatonProcess(origins: ["a": corrupt, "b": sound])
        let image = try await first.addImage()
        let ids = try await first.addLocations([corrupt.url(), sound.url()], to: image, of: Self.content)
        let taken = try await onOwnThread { [port = first.port] in
            let client = try TestClient(port: port)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 600_000, expected: (Self.content, 0))
            // The client still waits for more when the server dies.
            first.signal(SIGKILL)
            return response
        }
        #expect(taken.firstWrongByte == 100_000)
        _ = try await first.exited()
        let second = try await BatonProcess(origins: ["a": corrupt, "b": sound], in: first.directory)
        try await second.operate("verify", on: ids[1])
        _ = try await second.manifest(of: image)
        let response = try await second.download(image, of: Self.content, headers: ["Range": "bytes=600000-"])
        #expect(response.status == 200 && response.isComplete && response.firstWrongByte == nil)
        // Images that are registered from now on were not delivered by an earlier server.
        let other = try await second.addImage(of: Self.content, at: [sound.url()])
        try await second.verifyLocations(of: other)
        let part = try await second.download(other, of: Self.content, headers: ["Range": "bytes=600000-"], from: 600_000)
        #expect(part.status == 206)
    }
}
