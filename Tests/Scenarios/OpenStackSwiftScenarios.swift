import BackendKit
import FaultyOrigin
import Foundation
import ImageModel
import OpenStackSwiftBackend
import Testing

/// The driver `swift` and a real OpenStack Swift.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OpenStackSwiftScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 91)

    @Test(
        "An object of any name is read whole and in ranges",
        arguments: [
            "plain", "a b/c+d%", "%2F%41", "../up//../x/./y/", "/leading", "//", "ä/日本語?#&=;", "e\u{301} and \u{e9}",
            "tab\tline\nend",
        ])
    func anyNameIsReadWholeAndInRanges(name: String) async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 300_007, seed: 92)
        try await node.store(content, as: name)
        let reader = try OpenStackSwiftReader(node)
        let whole = try await reader.read(name)
        #expect(whole.bytes.count == 300_007)
        #expect(content.matches(whole.bytes))
        #expect(whole.head.stated?.description == "md5:\(content.digest(.md5))")
        let part = try await reader.read(name, ByteRange(first: 100_000, last: 200_000))
        #expect(part.bytes.count == 100_001)
        #expect(content.matches(part.bytes, at: 100_000))
        #expect(part.head.total == 300_007)
        #expect(part.head.validator == whole.head.validator)
        let failure = await #expect(throws: AttemptFailure.self) {
            try await reader.read(name, ByteRange(first: 300_007, last: 300_008))
        }
        #expect(failure?.reason == .wrongSize)
    }

    @Test("A large object is read as one object", arguments: [true, false]) func aLargeObjectIsReadAsOne(isStatic: Bool)
        async throws
    {
        let node = try await OpenStackSwiftNode.shared.value
        let key = "large \(isStatic)"
        try await node.storeSegments(of: Self.content, as: key)
        try await node.join(Self.content, as: key, isStatic: isStatic)
        let reader = try OpenStackSwiftReader(node)
        let whole = try await reader.read(key)
        #expect(whole.bytes.count == Int(Self.content.size))
        #expect(Self.content.matches(whole.bytes))
        #expect(whole.head.total == Self.content.size)
        #expect(whole.head.stated == nil)
        // From the second segment into the fourth.
        let part = try await reader.read(key, ByteRange(first: 1_500_000, last: 3_500_000))
        #expect(part.bytes.count == 2_000_001)
        #expect(Self.content.matches(part.bytes, at: 1_500_000))
        #expect(part.head.validator == whole.head.validator && whole.head.validator != nil)
    }

    @Test("A large object with a missing segment is never read as complete")
    func aLargeObjectWithAMissingSegmentIsNotComplete() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        try await node.storeSegments(of: Self.content, as: "torn")
        try await node.join(Self.content, as: "torn", isStatic: true)
        let reader = try OpenStackSwiftReader(node)
        try await node.send("DELETE", "torn/3", in: "segments")
        let short = await #expect(throws: AttemptFailure.self) { try await reader.read("torn") }
        #expect(short?.failureClass == .backend)
        let before = try await reader.read("torn", ByteRange(first: 0, last: 2_999_999))
        #expect(Self.content.matches(before.bytes))
        try await node.send("DELETE", "torn/0", in: "segments")
        let refused = await #expect(throws: AttemptFailure.self) { try await reader.read("torn") }
        #expect(refused?.reason == .unreadable)
        #expect(refused?.failureClass == .location)
    }

    @Test("An object that does not exist is missing")
    func anObjectThatDoesNotExistIsMissing() async throws {
        let reader = try OpenStackSwiftReader(try await OpenStackSwiftNode.shared.value)
        let failure = await #expect(throws: AttemptFailure.self) { try await reader.read("nothing") }
        #expect(failure?.reason == .missing)
    }

    @Test("An unauthorised user is denied, and a wrong key is not accepted")
    func anUnauthorisedUserIsDenied() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        try await node.store(Self.content, 0..<10, as: "closed")
        let stranger = try OpenStackSwiftReader(node, user: "test:tester3", key: "testing3")
        let denied = await #expect(throws: AttemptFailure.self) { try await stranger.read("closed") }
        #expect(denied?.detail.hasPrefix("answered with status 403") == true)
        let forger = try OpenStackSwiftReader(node, key: "hush-wrong")
        let refused = await #expect(throws: AttemptFailure.self) { try await forger.read("closed") }
        #expect(refused?.failureClass == .credentials)
        #expect(refused?.detail.hasPrefix("the log-in was answered with status 401") == true)
        let nobody = try OpenStackSwiftReader(node, login: nil)
        let closed = await #expect(throws: AttemptFailure.self) { try await nobody.read("closed") }
        #expect(closed?.detail.hasPrefix("answered with status 401") == true)
    }

    @Test("A public container is read without a login")
    func aPublicContainerIsReadWithoutALogin() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "open")
        try await node.send("POST", "", headers: ["X-Container-Read": ".r:*"])
        #expect(Self.content.matches(try await OpenStackSwiftReader(node, login: nil).read("open").bytes))
    }

    /// Tokens are in memcached, which is empty after a restart.
    @Test("A forgotten token is renewed once for all readers that share it")
    func aForgottenTokenIsRenewedOnceForAllReaders() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "kept")
        let reader = try OpenStackSwiftReader(node)
        let before = try await reader.read("kept", ByteRange(first: 0, last: 9))
        #expect(reader.driver.credentials?.generation == 1)
        node.crash("memcached")
        try await node.revive()
        async let first = reader.read("kept")
        async let second = reader.read("kept")
        async let third = reader.read("kept", ByteRange(first: 0, last: 9))
        let answers = try await [first, second, third]
        #expect(answers.allSatisfy { Self.content.matches($0.bytes) })
        #expect(answers.allSatisfy { $0.head.validator == before.head.validator })
        #expect(reader.driver.credentials?.generation == 2)
    }

    @Test("A direct URL works in curl until it is altered or expires", arguments: TempURLSigner.Algorithm.allCases)
    func aDirectURLWorksUntilItIsAlteredOrExpires(
        algorithm: TempURLSigner.Algorithm
    ) async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 200_003, seed: 93)
        let signer = TempURLSigner(key: node.temporaryURLKey, algorithm: algorithm)
        let reader = try OpenStackSwiftReader(node, signer: signer)
        let past = try OpenStackSwiftReader(node, signer: signer, now: { .now - 3600 })
        for name in ["direct", "d i+r%e?c#t/../ä//\u{1F4BF}"] {
            try await node.store(content, as: name)
            for reader in [reader, past] { _ = try await reader.read(name, ByteRange(first: 0, last: 0)) }
            let url = try #require(reader.driver.directURL(for: name, lifetime: .seconds(600)))
            let (status, bytes) = try await Self.curl(url)
            #expect(status == "200 application/octet-stream")
            #expect(bytes.count == 200_003 && content.matches(bytes))
            let digits = url.replacing(/sig=./) { $0.output.hasSuffix("0") ? "sig=1" : "sig=0" }
            let other = url.replacing("?temp_url_sig", with: "x?temp_url_sig")
            let longer = url.replacing(/expires=\d+/, with: "expires=9999999999")
            let over = try #require(past.driver.directURL(for: name, lifetime: .seconds(600)))
            for altered in [digits, other, longer, over] {
                #expect(altered != url)
                #expect(try await Self.curl(altered).status.hasPrefix("401 "))
            }
        }
    }

    static func curl(_ url: String) async throws -> (status: String, bytes: [UInt8]) {
        let directory = try TestDirectory()
        let arguments = ["-sS", "--path-as-is", "-g", "--noproxy", "*", "-o", directory.file("body")]
        let done = try await BatonCommand.run(
            arguments + ["-w", "%{http_code} %{content_type}", url], program: "/usr/bin/curl")
        return (done.output, Array(try Data(contentsOf: URL(filePath: directory.file("body")))))
    }
}
