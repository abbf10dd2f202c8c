import FaultyOrigin
import Foundation
import Glibc
import Testing

/// A range is served only verified; what can't be verified is answered with the whole, which is.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RangeScenarios {
    static let small = PatternedContent(size: 1024, seed: 121)
    static let content = PatternedContent(size: 3_000_017, seed: 122)

    /// Ranges of a content of that size, in all their spellings: those that cover everything first.
    static func spellings(of size: Int64) -> [[String: String]] {
        [
            ["Range": "bytes=0-"], ["Range": "bytes=0-\(size - 1)"], ["Range": "bytes=0-\(size)"],
            ["Range": "bytes=0-99999999999999999999"], ["Range": "bytes=-\(size)"], ["Range": "bytes=-\(size + 1)"],
            ["Range": " Bytes = 0- "], ["Content-Range": "bytes 0-\(size - 1)/\(size)"],
            ["Content-Range": "bytes 0-\(size - 1)/*"], ["Content-Range": "bytes 0-/*"],
        ]
    }

    /// Ranges that leave something out.
    static func parts(of size: Int64) -> [[String: String]] {
        [
            ["Range": "bytes=0-0"], ["Range": "bytes=5-5"], ["Range": "bytes=\(size - 1)-"], ["Range": "bytes=-1"],
            ["Range": "bytes=1-"], ["Range": "bytes=0-\(size - 2)"], ["Content-Range": "bytes 1-2/*"],
        ]
    }

    @Test("No spelling of a range brings a wrong byte of an image that was never read, whatever else is asked for")
    func rangesOfAFreshCorruptImage() async throws {
        let corrupt = try FaultyOrigin(Self.small) { $0.isProbe ? .sound : .corrupt(at: 5) }
        defer { corrupt.stop() }
        let baton = try await BatonProcess(origins: ["a": corrupt])
        let tag = "\"sha256-\(Self.small.sha256)\""
        for headers in Self.spellings(of: 1024) + Self.parts(of: 1024) {
            for further in [[:], ["If-Range": tag], ["If-Range": "\"x\""]] {
                // An image of its own for each: what is asked for first must be right.
                let image = try await baton.addImage(of: Self.small, at: [corrupt.url()])
                let response = try await baton.download(
                    image, of: Self.small, headers: headers.merging(further) { given, _ in given })
                #expect(response.status == 503, "\(headers)")
            }
        }
    }

    @Test("A range of an image with one corrupt and one sound location that were never read gets the whole, and it is right")
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

    @Test("A range over everything of a large corrupt image never comes to its end")
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
        "Once the image was read in full, each spelling of a range over everything is answered with 206",
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

    @Test("Without a manifest a range over everything is verified as a whole even where its location was read in full")
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

    @Test("A range of an object that was exchanged since it was read in full gets the whole, not its bytes and not 503")
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
        // That range has the manifest made again; what it is about here is an image without one.
        let other = try await baton.addImage(of: Self.content, at: [origin.url()])
        try await baton.verifyLocationsAndForgetManifest(of: other)
        isExchanged.set()
        let after = try await baton.download(other, of: Self.content, headers: ["Range": "bytes=1000000-1999999"])
        #expect(after.status == 200 && after.isComplete && after.firstWrongByte == nil)
    }

    @Test("What a probe saw pins no range: the object was never read")
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

    /// One piece, as a client takes it that opens a connection for each: also the beginning of a whole is good for the first one.
    /// - Returns: whether the client takes it for the piece, and whether all its bytes are right.
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
        "Pieces of a fresh corrupt image that are fetched one after another never make a corrupt file",
        arguments: [true, false], [true, false])
    func piecesOneAfterAnother(hasSoundLocation: Bool, isEager: Bool) async throws {
        // As fast as a client reads, so that the first piece is there before the location is found out.
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
                // Now ranges can be verified: what remains of the file would be right.
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

    @Test("A client that left with unverified bytes can't complete them by a range until the location that gave them was read")
    func unverifiedBytesAreNotCompleted() async throws {
        let isFree = Flag()
        // Reads of it alone come to nothing until the test says so.
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
        #expect(taken.firstWrongByte == 100_000, "the beginning leaves before anything verified it")
        try await baton.operate("verify", on: ids[1])
        _ = try await baton.manifest(of: image)
        let rest = ["Range": "bytes=600000-"]
        let response = try await baton.download(image, of: Self.content, headers: rest)
        #expect(response.status == 200 && response.headers["accept-ranges"] == "none", "it would complete a corrupt file")
        #expect(response.isComplete && response.firstWrongByte == nil)
        isFree.set()
        try await baton.operate("verify", on: ids[0])
        try await baton.waitUntil(ids[0], is: "quarantined")
        #expect(try await baton.download(image, of: Self.content, headers: rest).status == 200, "the client still has them")
        // Another image at the sound location alone is not concerned.
        let other = try await baton.addImage(of: Self.content, at: [sound.url()])
        try await baton.verifyLocations(of: other)
        #expect(try await baton.download(other, of: Self.content, headers: rest, from: 600_000).status == 206)
    }

    @Test("A client that holds unverified bytes can't complete them by a range after the server was killed either")
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
        // What is registered from now on was delivered by no earlier server.
        let other = try await second.addImage(of: Self.content, at: [sound.url()])
        try await second.verifyLocations(of: other)
        let part = try await second.download(other, of: Self.content, headers: ["Range": "bytes=600000-"], from: 600_000)
        #expect(part.status == 206)
    }
}
