import AdminContract
import CurlTransfer
import FaultyOrigin
import Foundation
import ImageModel
import Integrity
import Synchronization
import Testing

@testable import BatonClient

/// Downloads into a file from a server whose connections break.
@Suite(.timeLimit(.minutes(2)))
struct FileDownloadTests {
    static let content = PatternedContent(size: 3_000_017, seed: 321)
    private static let breaksAt: Int64 = 1_000_003

    private static let digest: Digest = {
        let stream = DigestStream(.sha256)
        content.bytes(in: 0..<content.size).withUnsafeBytes { stream.update($0) }
        return stream.finish()
    }()

    /// The files in the directory, how the download ended, and what it requested.
    private struct Outcome {
        let file: Data?
        let partial: Data?
        let error: ClientError?
        let requests: [OriginRequest]
    }

    /// Downloads into a file from a server that answers its GETs with these behaviours in turn, the last one repeatedly.
    /// - Parameter partial: The partial file of an earlier attempt.
    private func download(_ behaviours: [Behaviour], tries: Int = 3, over partial: [UInt8]? = nil) async throws -> Outcome {
        let tag = "\"sha256-\(Self.digest.hex)\""
        let count = Mutex(0)
        let server = try FaultyOrigin(Self.content) { request in
            let behaviour: Behaviour =
                request.method == "HEAD"
                ? .sound
                : count.withLock { count in
                    count += 1
                    return behaviours[min(count, behaviours.count) - 1]
                }
            return behaviour.stating(etag: tag, headers: [("Accept-Ranges", "bytes")])
        }
        let loop = TransferLoop()
        let directory = NSTemporaryDirectory() + "baton-download-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            server.stop()
            loop.stop()
            try? FileManager.default.removeItem(atPath: directory)
        }
        let path = directory + "/image"
        let partialPath = path + ".\(Self.digest.hex.prefix(16)).part"
        if let partial { try Data(partial).write(to: URL(fileURLWithPath: partialPath)) }
        let download = Download(
            from: Endpoint(url: server.url(""), token: nil, loop: loop), to: .file(path: path), tries: tries,
            bytesPerSecond: nil
        ) { _ in }
        var problem: ClientError?
        do {
            _ = try await download.run(image: ImageID(), query: [])
        } catch let error as ClientError {
            problem = error
        }
        return Outcome(
            file: FileManager.default.contents(atPath: path), partial: FileManager.default.contents(atPath: partialPath),
            error: problem, requests: server.record.requests.filter { $0.method == "GET" })
    }

    private static var bytes: Data { Data(content.bytes(in: 0..<content.size)) }

    @Test("A broken download is resumed with If-Range at the next byte")
    func aBreakIsResumed() async throws {
        let outcome = try await download([.reset(after: Self.breaksAt), .sound])
        #expect(outcome.error == nil && outcome.file == Self.bytes && outcome.partial == nil)
        let resumed = try #require(outcome.requests.last)
        #expect(outcome.requests.count == 2 && resumed.range?.first == Self.breaksAt)
        #expect(outcome.requests[0]["if-range"] == nil && resumed["if-range"] == "\"sha256-\(Self.digest.hex)\"")
    }

    @Test("A whole answer to a range request replaces the partial file")
    func aWholeBeginsAgain() async throws {
        let outcome = try await download([.reset(after: Self.breaksAt), .ignoringRange])
        #expect(outcome.error == nil && outcome.file == Self.bytes)
    }

    @Test("After an answer shorter than requested, the remaining bytes are requested at once")
    func shortAnswers() async throws {
        let outcome = try await download([.reset(after: Self.breaksAt), .capped(at: 700_000)], tries: 2)
        #expect(outcome.error == nil && outcome.file == Self.bytes && outcome.partial == nil)
        #expect(outcome.requests.map { $0.range?.first ?? 0 } == [0, Self.breaksAt, 1_700_003, 2_400_003])
    }

    @Test("A range other than the requested one is not appended")
    func anotherRange() async throws {
        let outcome = try await download([.reset(after: Self.breaksAt), .wrongRange(by: 1)])
        #expect(outcome.error?.kind == .invalidInput && outcome.file == nil)
        #expect(outcome.partial == Self.bytes.prefix(Int(Self.breaksAt)))
    }

    @Test("A partial file longer than the image is downloaded again from the start")
    func tooLongAPartialFile() async throws {
        let outcome = try await download([.sound], over: [UInt8](repeating: 7, count: Int(Self.content.size) + 1))
        #expect(outcome.error == nil && outcome.file == Self.bytes && outcome.partial == nil)
        #expect(outcome.requests.map { $0.range == nil } == [true])
    }

    @Test("Attempts that make progress do not count against the limit")
    func attemptsWithProgressDoNotCount() async throws {
        let outcome = try await download([.reset(after: 900_000)], tries: 2)
        #expect(outcome.error == nil && outcome.file == Self.bytes)
        #expect(outcome.requests.count == 4)
    }

    @Test("A fetch from locations that is cancelled before it begins reads nothing")
    func aFetchCancelledBeforeItBeginsReadsNothing() async throws {
        let server = try FaultyOrigin(Self.content) { _ in .sound }
        let loop = TransferLoop()
        let directory = NSTemporaryDirectory() + "baton-download-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            server.stop()
            loop.stop()
            try? FileManager.default.removeItem(atPath: directory)
        }
        let target = DownloadTarget(
            path: "/", size: Self.content.size, digest: Self.digest, entityTag: "\"sha256-\(Self.digest.hex)\"",
            isResumable: true)
        let file = try PartialFile(for: directory + "/image", of: target)
        let fetch = DirectFetch(target: target, sink: file, loop: loop, bytesPerSecond: nil) { _ in }
        let list = try JSONDecoder().decode(
            DirectDocument.self,
            from: Data(
                """
                {"image": "", "disk_format": "raw", "container_format": "bare", "size": \(target.size),
                 "digest": "\(target.digest)", "digests": {}, "etag": "", "absence": null, "stream": "",
                 "locations": [
                     {"location": "", "backend": "b", "url": "\(server.url())", "expires": null, "healthy": true,
                      "size": null, "digests": {}, "verified_at": null}]}
                """.utf8))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await fetch.run(list.sources)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(server.record.requests.isEmpty && file.size == 0)
    }
}
