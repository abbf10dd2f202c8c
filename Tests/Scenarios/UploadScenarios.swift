import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// Uploads into a file backend: either the whole image is stored or nothing.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct UploadScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 41)

    private func start(
        _ more: String = "", settings: String = "", in directory: TestDirectory? = nil, fileSizeLimit: Int? = nil
    ) async throws -> BatonProcess {
        let directory = try directory ?? TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("disk"), withIntermediateDirectories: true)
        return try await BatonProcess(
            backends: ["disk": #"driver: file, root: "\#(directory.file("disk"))""#],
            settings: "uploads: { backend: disk\(more) }\n\(settings)", directory: directory, fileSizeLimit: fileSizeLimit)
    }

    private func files(_ baton: BatonProcess) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: baton.directory.file("disk")).filter { $0 != ".uploads" }
    }

    private func status(_ image: String, _ baton: BatonProcess) async throws -> String? {
        try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String
    }

    /// Waits for a status.
    private func wait(for status: String, of image: String, _ baton: BatonProcess) async throws {
        try await eventually("\(status) as the status of \(image)") { try await self.status(image, baton) == status }
    }

    @Test("An uploaded image is downloaded exactly as it was sent", arguments: [true, false])
    func anUploadedImageIsDownloadedExactly(
        chunked: Bool
    ) async throws {
        let baton = try await start()
        let image = try await baton.addImage()
        let uploaded = try await baton.upload(Self.content, to: image, chunked: chunked)
        #expect(uploaded.status == 204)
        let shown = try await baton.send("GET", "/v2/images/\(image)").json
        #expect(shown["status"] as? String == "active" && shown["size"] as? Int64 == Self.content.size)
        #expect(shown["checksum"] as? String == Self.content.digest(.md5))
        #expect(shown["os_hash_algo"] as? String == "sha512")
        #expect(shown["os_hash_value"] as? String == Self.content.digest(.sha512))
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete && response.firstWrongByte == nil)
        #expect(response.headers["etag"] == "\"sha256-\(Self.content.sha256)\"")
        let range = try await baton.download(image, of: Self.content, headers: ["Range": "bytes=7-"], from: 7)
        #expect(range.status == 206 && range.firstWrongByte == nil, "its location is pinned from the start")
        #expect(try files(baton) == [image])
        #expect(try await baton.upload(Self.content, to: image).status == 409)
    }

    @Test("An empty upload makes an empty image")
    func anEmptyUploadMakesAnEmptyImage() async throws {
        let baton = try await start()
        let image = try await baton.addImage()
        #expect(try await baton.upload(PatternedContent(size: 0, seed: 1), to: image).status == 204)
        let response = try await baton.send("GET", "/v2/images/\(image)/file")
        #expect(response.status == 200 && response.headers["content-length"] == "0")
    }

    @Test("An invalid upload is refused, and the image stays queued")
    func anInvalidUploadIsRefused() async throws {
        let baton = try await start(", max_size: 1MiB")
        let image = try await baton.addImage()
        let path = "/v2/images/\(image)/file"
        let type = ["Content-Type": "application/octet-stream"]
        #expect(try await baton.send("PUT", path, body: "x").status == 415)
        for (header, status) in [("5", 400), ("x", 400), ("-1", 400)] {
            let headers = type.merging(["x-openstack-image-size": header]) { $1 }
            #expect(try await baton.send("PUT", path, headers: headers, body: "x").status == status)
        }
        #expect(try await baton.upload(Self.content, to: image, chunked: true).status == 413)
        #expect(try await baton.upload(Self.content, to: image, chunked: false).status == 413)
        #expect(try await status(image, baton) == "queued")
        let bare = try await baton.send("POST", "/v2/images", body: #"{"disk_format": "raw"}"#)
        let id = try #require(bare.json["id"] as? String)
        #expect(try await baton.send("PUT", "/v2/images/\(id)/file", headers: type, body: "x").status == 400)
        #expect(try await baton.send("PUT", "/v2/images/\(UUID())/file", headers: type, body: "x").status == 404)
        #expect(try files(baton) == [])
        #expect(try await baton.send("PUT", path, headers: type, body: "x").status == 204)
    }

    @Test("A server without uploads.backend refuses uploads")
    func aServerWithoutUploadsBackendRefusesUploads() async throws {
        let baton = try await BatonProcess(backends: [:])
        let image = try await baton.addImage()
        let response = try await baton.upload(PatternedContent(size: 10, seed: 1), to: image)
        #expect(response.status == 403 && response.errorMessage.contains("uploads.backend"))
        #expect(try await status(image, baton) == "queued")
    }

    @Test("An image is saving during its upload, and a second upload is refused")
    func anImageIsSavingDuringItsUpload() async throws {
        let baton = try await start()
        let image = try await baton.addImage()
        let client = try TestClient(port: baton.port)
        try client.beginUpload(of: Self.content, to: image, sending: 2_000_000)
        try await wait(for: "saving", of: image, baton)
        #expect(try await baton.upload(Self.content, to: image).status == 409)
        #expect(try await baton.send("GET", "/v2/images/\(image)/file").status == 204, "no byte of it is served")
        #expect(try files(baton).sorted() == [".uploads/\(image)", ".uploads/\(image).lock"])
        try client.endUpload(of: Self.content, from: 2_000_000)
        let response = client.receiveHead()
        #expect(response.status == 204)
        #expect(try await baton.download(image, of: Self.content).firstWrongByte == nil)
    }

    @Test("A client that disconnects during an upload leaves no file")
    func aClientThatDisconnectsLeavesNoFile() async throws {
        let baton = try await start()
        let image = try await baton.addImage()
        do {
            try TestClient(port: baton.port).beginUpload(of: Self.content, to: image, sending: 3_000_000)
        }
        _ = await baton.logged { $0.event == "upload.failed" }
        try await wait(for: "queued", of: image, baton)
        #expect(try files(baton) == [])
        #expect(try await baton.upload(Self.content, to: image).status == 204)
    }

    @Test("A client that stops sending an upload is cut after client_stall_timeout")
    func aClientThatStopsSendingIsCut() async throws {
        let baton = try await start(settings: "relay: { client_stall_timeout: 200ms }")
        let image = try await baton.addImage()
        let client = try TestClient(port: baton.port)
        try client.beginUpload(of: Self.content, to: image, sending: 1_000_000)
        _ = await baton.logged { $0.event == "upload.failed" }
        try await wait(for: "queued", of: image, baton)
        #expect(client.receiveHead().status == 0, "the connection is closed")
        #expect(try files(baton) == [])
    }

    @Test("An image that is deleted during its upload leaves no file")
    func anImageDeletedDuringItsUploadLeavesNoFile() async throws {
        let baton = try await start()
        let image = try await baton.addImage()
        let client = try TestClient(port: baton.port)
        try client.beginUpload(of: Self.content, to: image, sending: 1_000_000)
        try await wait(for: "saving", of: image, baton)
        #expect(try await baton.send("DELETE", "/v2/images/\(image)").status == 204)
        try client.endUpload(of: Self.content, from: 1_000_000)
        let response = client.receiveHead()
        #expect(response.status == 404)
        #expect(try files(baton) == [])
    }

    @Test("A full disk refuses an upload with 507 and keeps no file")
    func aFullDiskKeepsNoFile() async throws {
        let baton = try await start(fileSizeLimit: 2048)
        let image = try await baton.addImage()
        let response = try await baton.upload(Self.content, to: image, chunked: true)
        #expect(response.status == 507 && response.errorMessage.contains("full"))
        #expect(try await status(image, baton) == "queued")
        #expect(try files(baton) == [])
        let small = PatternedContent(size: 1_000_000, seed: 42)
        #expect(try await baton.upload(small, to: image).status == 204)
    }

    @Test("A restart removes the files of interrupted uploads")
    func aRestartRemovesInterruptedUploads() async throws {
        let directory = try TestDirectory()
        let image: String
        do {
            let baton = try await start(in: directory)
            image = try await baton.addImage()
            let client = try TestClient(port: baton.port)
            try client.beginUpload(of: Self.content, to: image, sending: 2_000_000)
            try await wait(for: "saving", of: image, baton)
            kill(baton.processID, SIGKILL)
            _ = try await baton.exited()
            withExtendedLifetime(client) {}
            // As if it had died after it named the file and before it registered it.
            try Data("whole".utf8).write(to: URL(filePath: directory.file("disk/\(image)")))
        }
        let baton = try await start(in: directory)
        #expect(try await status(image, baton) == "queued")
        #expect(try files(baton) == [])
        let response = try await baton.upload(Self.content, to: image)
        #expect(response.status == 204, "\(response.errorMessage)")
    }

    @Test("An uploads.backend that does not take uploads is a configuration error")
    func aBackendThatTakesNoUploadsIsAConfigurationError() async throws {
        let directory = try TestDirectory()
        for (backend, expected) in [("web", "only the driver file takes uploads"), ("none", "is not a backend")] {
            let file = try directory.write(
                """
                uploads: { backend: \(backend) }
                backends: { web: { driver: http, url: "http://127.0.0.1:1/" } }
                """, to: "baton.yaml")
            let result = try await BatonCommand.run(["check", "--config", file])
            #expect(result.status != 0 && result.errors.contains(expected), "\(result.errors)")
        }
    }
}
