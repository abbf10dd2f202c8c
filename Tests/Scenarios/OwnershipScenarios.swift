import FaultyOrigin
import Foundation
import Glibc
import Testing
import Waiting

/// Only one server at a time uses a catalog.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OwnershipScenarios {
    private static let content = PatternedContent(size: 5_000_011, seed: 91)

    /// A client that moves between threads.
    ///
    /// `@unchecked Sendable`: only one thread at a time uses it.
    private final class Upload: @unchecked Sendable {
        let client: TestClient

        init(_ client: TestClient) { self.client = client }
    }

    private func start(_ directory: TestDirectory, onSpawn: (Int32) -> Void = { _ in }) async throws -> BatonProcess {
        try FileManager.default.createDirectory(atPath: directory.file("disk"), withIntermediateDirectories: true)
        return try await BatonProcess(
            backends: ["disk": #"driver: file, root: "\#(directory.file("disk"))""#],
            settings: "uploads: { backend: disk }\nmaintenance: { interval: 100ms, scrub_interval: 0s }", directory: directory,
            onSpawn: onSpawn)
    }

    /// Begins an upload to a new image.
    private func beginUpload(_ baton: BatonProcess) async throws -> (image: String, upload: Upload) {
        let image = try await baton.addImage()
        let port = baton.port
        let upload = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.beginUpload(of: Self.content, to: image, sending: 2_000_000)
            return Upload(client)
        }
        try await wait(for: "saving", of: image, baton)
        return (image, upload)
    }

    private func wait(for status: String, of image: String, _ baton: BatonProcess) async throws {
        try await eventually("\(status) as the status of \(image)") {
            try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String == status
        }
    }

    private func end(_ upload: Upload) async throws -> Int {
        try await onOwnThread {
            try upload.client.endUpload(of: Self.content, from: 2_000_000)
            return upload.client.receiveHead().status
        }
    }

    @Test("A second server on a catalog names the first and exits, even through a symbolic link")
    func aSecondServerEnds() async throws {
        let directory = try TestDirectory()
        let first = try await start(directory)
        let (image, upload) = try await beginUpload(first)
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("other.sqlite"), withDestinationPath: directory.file("catalog.sqlite"))
        let yaml = try String(contentsOfFile: directory.file("baton.yaml"), encoding: .utf8)
        try directory.write(yaml.replacingOccurrences(of: "catalog.sqlite", with: "other.sqlite"), to: "other.yaml")
        for file in ["baton.yaml", "other.yaml"] {
            let second = try await BatonCommand.run(
                ["serve", "--config", directory.file(file), "--listen", "127.0.0.1:0"])
            #expect(second.status == 1)
            #expect(second.errors.contains("is in use by process \(first.processID)"), "\(second.errors)")
        }
        #expect(try await end(upload) == 204)
        #expect(try await first.download(image, of: Self.content).firstWrongByte == nil)
    }

    @Test("A draining server finishes its uploads, and its successor does not touch them")
    func aSuccessorStartsAtOnce() async throws {
        let directory = try TestDirectory()
        let first = try await start(directory)
        let (image, upload) = try await beginUpload(first)
        first.terminate()
        // It waits until the first server releases the lock; that server's upload continues.
        let second = try await start(directory)
        _ = await second.logged { $0.event == "upload.foreign" && $0.fields["images"] == [image] }
        #expect(try await second.send("GET", "/v2/images/\(image)").json["status"] as? String == "saving")
        #expect(try await second.upload(Self.content, to: image).status == 409)
        #expect(try await end(upload) == 204)
        #expect(try await first.exited() == 0)
        try await wait(for: "active", of: image, second)
        let response = try await second.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
    }

    @Test(
        "A successor with another uploads backend, or none, does not touch the draining server's uploads",
        arguments: ["uploads: { backend: other }", ""])
    func aSuccessorWithOtherUploads(uploads: String) async throws {
        let directory = try TestDirectory()
        let first = try await start(directory)
        let (image, upload) = try await beginUpload(first)
        first.terminate()
        try FileManager.default.createDirectory(atPath: directory.file("other"), withIntermediateDirectories: true)
        let second = try await BatonProcess(
            backends: [
                "disk": #"driver: file, root: "\#(directory.file("disk"))""#,
                "other": #"driver: file, root: "\#(directory.file("other"))""#,
            ], settings: "\(uploads)\nmaintenance: { interval: 100ms, scrub_interval: 0s }", directory: directory)
        #expect(try await second.send("GET", "/v2/images/\(image)").json["status"] as? String == "saving")
        #expect(try await end(upload) == 204)
        #expect(try await first.exited() == 0)
        try await wait(for: "active", of: image, second)
        #expect(try await second.download(image, of: Self.content).firstWrongByte == nil)
    }

    @Test("A successor cleans up the uploads of a server that died")
    func aSuccessorCleansUpADeadServersUploads() async throws {
        let directory = try TestDirectory()
        let first = try await start(directory)
        let (image, upload) = try await beginUpload(first)
        first.terminate()
        let second = try await start(directory)
        _ = await second.logged { $0.event == "upload.foreign" }
        first.signal(SIGKILL)
        try await wait(for: "queued", of: image, second)
        #expect(try await second.upload(Self.content, to: image).status == 204)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("disk/.uploads")) == [])
        withExtendedLifetime(upload) {}
    }

    @Test("A draining server records the results of its last downloads")
    func aDrainingServerStillRecords() async throws {
        let content = PatternedContent(size: 8 << 20, seed: 92)
        let origin = try FaultyOrigin(content) { $0.isProbe ? .sound : .sound.paced(4 << 20) }
        defer { origin.stop() }
        let directory = try TestDirectory()
        let first = try await BatonProcess(origins: ["origin": origin], in: directory)
        let image = try await first.addImage(of: content, at: [origin.url()])
        let download = Task { try await first.download(image, of: content) }
        await origin.waitUntil { $0.bodyBytesSent > 1 << 20 }
        first.terminate()
        let second = try await BatonProcess(origins: ["origin": origin], in: directory)
        #expect(try await download.value.isComplete)
        #expect(try await first.exited() == 0)
        #expect(try await second.locations(of: image)[0]["verified_at"] as? String != nil)
    }
}
