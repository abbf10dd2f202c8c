import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageCatalog
import ImageModel
import Integrity
import Testing
import TokenBackend

@testable import Verification

/// The manifests that full reads make of the bytes from a real connection.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReadManifestTests {
    private static let content = PatternedContent(size: 3_000_017, seed: 91)
    private static let chunkSize: Int64 = 65_536

    private static var expected: [UInt8] {
        stride(from: 0, to: content.size, by: Int(chunkSize)).flatMap { first in
            let stream = DigestStream(.sha256)
            content.bytes(in: first..<min(content.size, first + chunkSize)).withUnsafeBytes { stream.update($0) }
            return stream.finish().bytes
        }
    }

    private func manifest(
        maximumRange: Int64? = nil, expectedSize: Int64? = content.size,
        _ behaviour: @escaping @Sendable (OriginRequest) -> Behaviour
    ) async throws -> Manifest? {
        let loop = TransferLoop()
        defer { loop.stop() }
        let door = TokenDoor()
        let origin = try FaultyOrigin(Self.content, behind: door, behaviour: behaviour)
        defer { origin.stop() }
        let read = LocationRead(
            .init(
                driver: TokenDriver(door, url: origin.url(), maximumRange: maximumRange), connections: nil,
                queueKey: .maintenance(of: "image"), path: "image", expectedSize: expectedSize, algorithms: [.md5],
                chunkSize: Self.chunkSize, isFresh: false, progress: nil, pace: ReadRateLimiter(bytesPerSecond: nil),
                stallTimeout: .seconds(30)),
            loop: loop)
        let outcome = await read.run()
        guard case .read(let found, let manifest, _) = outcome else {
            #expect(Bool(false), "\(outcome)")
            return nil
        }
        #expect(found.size == Self.content.size)
        return manifest
    }

    @Test("A whole read makes a manifest")
    func aWholeReadMakesAManifest() async throws {
        let manifest = try #require(try await manifest { _ in .sound })
        #expect(manifest.layout == ChunkLayout(size: Self.content.size, chunkSize: Self.chunkSize))
        #expect(manifest.digests == Self.expected)
    }

    @Test("A read in several ranges makes a manifest")
    func aReadInSeveralRangesMakesAManifest() async throws {
        #expect(try await manifest(maximumRange: 500_000) { _ in .sound }?.digests == Self.expected)
    }

    @Test("A read of an object of unknown size makes a manifest")
    func aReadOfUnknownSizeMakesAManifest() async throws {
        #expect(try await manifest(expectedSize: nil) { _ in .sound }?.digests == Self.expected)
    }

    @Test("A read that breaks makes one manifest of both parts")
    func aReadThatBreaksMakesOneManifest() async throws {
        let manifest = try await manifest { $0.range?.first == 0 ? .close(after: 1_000_000) : .sound }
        #expect(manifest?.digests == Self.expected)
    }

    @Test("Bytes that a server without ranges sends again count once")
    func bytesThatAServerSendsAgainCountOnce() async throws {
        let manifest = try await manifest { $0.range?.first == 0 ? .close(after: 1_000_000) : .ignoringRange }
        #expect(manifest?.digests == Self.expected)
    }

    /// The manifest must contain nothing of the earlier object.
    @Test("An object that changes during a read gets a manifest of its own")
    func aChangedObjectGetsAManifestOfItsOwn() async throws {
        let manifest = try await manifest { request in
            request.index == 0 ? .corrupt(at: 70_000).ending(.close(after: 1_000_000)) : .etag("\"another\"")
        }
        #expect(manifest?.digests == Self.expected)
    }
}
