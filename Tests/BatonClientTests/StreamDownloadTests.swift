import CurlTransfer
import FaultyOrigin
import Foundation
import Glibc
import ImageModel
import Integrity
import Synchronization
import Testing
import Waiting

@testable import BatonClient

/// Downloads into a stream from a server whose connections break.
@Suite(.timeLimit(.minutes(2)))
struct StreamDownloadTests {
    static let content = PatternedContent(size: 3_000_017, seed: 311)
    static let other = PatternedContent(size: 3_000_017, seed: 312)

    private static func tag(of content: PatternedContent) -> String {
        let stream = DigestStream(.sha256)
        content.bytes(in: 0..<content.size).withUnsafeBytes { stream.update($0) }
        return "\"sha256-\(stream.finish().hex)\""
    }

    /// What came out of a pipe, and how the download ended.
    private struct Outcome {
        let bytes: [UInt8]
        let error: ClientError?
        let events: [String]
    }

    /// What the other thread read.
    private final class Received: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    /// Downloads into a pipe from a server that answers the first GET with `first`, and the next ones with `then`.
    private func download(first: Behaviour, then: Behaviour) async throws -> Outcome {
        let tag = Self.tag(of: Self.content)
        let count = Mutex(0)
        let server = try FaultyOrigin(Self.content) { request in
            let behaviour: Behaviour =
                request.method == "HEAD"
                ? .sound
                : count.withLock { count in
                    count += 1
                    return count == 1 ? first : then
                }
            return behaviour.stating(etag: tag, headers: [("Accept-Ranges", "bytes")])
        }
        let loop = TransferLoop()
        defer {
            server.stop()
            loop.stop()
        }
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let received = Received()
        let done = AsyncStream.makeStream(of: Void.self)
        let reading = ends[0]
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(reading, &buffer, buffer.count)
                if count <= 0 { break }
                received.bytes.withLock { $0 += buffer.prefix(count) }
            }
            done.continuation.finish()
        }
        let events = Mutex<[String]>([])
        let download = Download(
            from: Endpoint(url: server.url(""), token: nil, loop: loop), to: .descriptor(ends[1]), tries: 3, bytesPerSecond: nil
        ) { event in
            if case .retrying(let attempt, let count, _) = event { events.withLock { $0.append("\(attempt) of \(count)") } }
        }
        var problem: ClientError?
        do {
            _ = try await download.run(image: ImageID(), query: [])
        } catch let error as ClientError {
            problem = error
        }
        close(ends[1])
        await ending(of: done.stream, "the end of the pipe")
        close(ends[0])
        return Outcome(bytes: received.bytes.withLock { $0 }, error: problem, events: events.withLock { $0 })
    }

    @Test("A broken stream continues at the exact byte")
    func aBreakIsResumed() async throws {
        let outcome = try await download(first: .reset(after: 1_000_003), then: .sound)
        #expect(outcome.error == nil)
        #expect(outcome.bytes == Self.content.bytes(in: 0..<Self.content.size))
        #expect(outcome.events == ["2 of 3"])
    }

    @Test("Bytes that a server sends again are compared and not written twice")
    func repeatedBytesAreNotWritten() async throws {
        let outcome = try await download(first: .reset(after: 1_000_003), then: .ignoringRange)
        #expect(outcome.error == nil)
        #expect(outcome.bytes == Self.content.bytes(in: 0..<Self.content.size))
    }

    @Test("A stream ends as corrupt when the server sends other bytes from the start")
    func otherBytesAreNoticed() async throws {
        let outcome = try await download(first: .reset(after: 1_000_003), then: Behaviour.ignoringRange.serving(Self.other))
        #expect(outcome.error?.kind == .corrupt)
        let written = outcome.bytes.count
        #expect(written < Self.content.size && outcome.bytes == Self.content.bytes(in: 0..<Int64(written)))
    }

    @Test("A stream ends as corrupt when a whole answer has wrong bytes")
    func wrongBytesAreNoticed() async throws {
        let outcome = try await download(first: .corrupt(at: 2_999_000), then: .sound)
        #expect(outcome.error?.kind == .corrupt)
    }
}
