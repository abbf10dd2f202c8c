import BackendKit
import FaultyOrigin
import Foundation
import ImageModel
import OpenStackSwiftBackend
import Testing

/// Ceph's radosgw, whose versions of both protocols differ from OpenStack Swift's. Only `make test-stores` runs these scenarios: they
/// need root and are slow.
@Suite(
    .serialized, .timeLimit(.minutes(5)), .enabled(if: ProcessInfo.processInfo.environment["BATON_TEST_STORES"] != nil))
struct RadosgwScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 98)
    static let names = ["plain", "a b/c+d%", "../up//../x/./y/", "/leading", "ä/日本語?#&=;"]

    private func reader(_ store: RadosgwProcess, signer: TempURLSigner? = nil) throws -> OpenStackSwiftReader {
        try OpenStackSwiftReader(store, user: "tester:swift", signer: signer)
    }

    @Test("An object of any name is read by OpenStack Swift's API", arguments: names) func anyNameIsReadByOpenStackSwiftsAPI(
        name: String
    ) async throws {
        let store = try await RadosgwProcess.shared.value
        let content = PatternedContent(size: 300_007, seed: 99)
        try await store.store(content, as: name)
        let reader = try reader(store)
        let whole = try await reader.read(name)
        #expect(whole.bytes.count == 300_007 && content.matches(whole.bytes))
        let part = try await reader.read(name, ByteRange(first: 100_000, last: 200_000))
        #expect(part.bytes.count == 100_001 && content.matches(part.bytes, at: 100_000))
        #expect(part.head.validator == whole.head.validator)
        let failure = await #expect(throws: AttemptFailure.self) { try await reader.read(name + "?") }
        #expect(failure?.reason == .missing)
    }

    @Test("A large object is read as one object", arguments: [true, false]) func aLargeObjectIsReadAsOne(isStatic: Bool)
        async throws
    {
        let store = try await RadosgwProcess.shared.value
        let key = "large-\(isStatic)"
        try await store.storeSegments(of: Self.content, as: key)
        try await store.join(Self.content, as: key, isStatic: isStatic)
        let whole = try await reader(store).read(key)
        #expect(whole.bytes.count == Int(Self.content.size) && Self.content.matches(whole.bytes))
        #expect(whole.head.stated == nil)
    }

    @Test("A direct URL is signed with SHA-1")
    func aDirectURLIsSignedWithSHA1() async throws {
        let store = try await RadosgwProcess.shared.value
        for name in Self.names {
            let content = PatternedContent(size: 200_003, seed: 100)
            try await store.store(content, as: name)
            let reader = try reader(store, signer: TempURLSigner(key: store.temporaryURLKey, algorithm: .sha1))
            _ = try await reader.read(name, ByteRange(first: 0, last: 0))
            let url = try #require(reader.driver.directURL(for: name, lifetime: .seconds(600)))
            let (status, bytes) = try await OpenStackSwiftScenarios.curl(url)
            #expect(status.hasPrefix("200 "), "\(name)")
            #expect(bytes.count == 200_003 && content.matches(bytes))
            let longer = url.replacing(/expires=\d+/, with: "expires=9999999999")
            #expect(try await OpenStackSwiftScenarios.curl(longer).status.hasPrefix("403 "))
        }
    }

    @Test("The driver s3 downloads any key", arguments: names) func theDriverS3DownloadsAnyKey(name: String)
        async throws
    {
        let store = try await RadosgwProcess.shared.value
        let content = PatternedContent(size: 2_000_003, seed: 101)
        try await store.store(content, as: "s3/\(name)")
        let directory = try TestDirectory()
        let secret = try directory.write("tester-secret\n", to: "secret")
        let backend =
            #"driver: s3, url: "\#(store.url)", bucket: images, access_key: tester-access, secret_key_file: "\#(secret)", "#
            + #"prefix: "s3/""#
        let baton = try await BatonProcess(backends: ["s3": backend], settings: BatonProcess.timeout, directory: directory)
        let image = try await baton.addImage(of: content, at: ["s3://s3/\(LocationURL.encode(path: name))"])
        let response = try await baton.download(image, of: content)
        #expect(response.isComplete && response.firstWrongByte == nil)
    }
}
