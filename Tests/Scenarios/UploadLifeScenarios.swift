import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// Uploaded files: their permissions, their deletion, and the quotas of projects.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct UploadLifeScenarios {
    private static let content = PatternedContent(size: 300_007, seed: 43)

    private func start(
        _ settings: String = "", delay: String = "0s", backends: [String: String] = [:], in given: TestDirectory? = nil,
        token: String? = nil
    ) async throws -> BatonProcess {
        let directory = try given ?? TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("disk"), withIntermediateDirectories: true)
        let disk = ["disk": #"driver: file, root: "\#(directory.file("disk"))", attach: { role: member }"#]
        return try await BatonProcess(
            backends: disk.merging(backends) { $1 },
            settings:
                "uploads: { backend: disk }\nmaintenance: { scrub_interval: 0s, interval: 20ms, delete_delay: \(delay) }\n"
                + settings, directory: directory, token: token)
    }

    private func uploadedImage(_ baton: BatonProcess, _ content: PatternedContent = content) async throws -> String {
        let image = try await baton.addImage()
        let response = try await baton.upload(content, to: image)
        try #require(response.status == 204, "\(response.text)")
        return image
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func orphans(_ baton: BatonProcess) async throws -> [[String: Any]] {
        try await baton.send("GET", "/baton/v1/uploads?orphans=true").json["uploads"] as? [[String: Any]] ?? []
    }

    /// - Parameters:
    ///   - keys: keys of the section `server`.
    ///   - allowed: the permissions that they allow.
    @Test(
        "Files that the server creates are readable only by its owner and group",
        arguments: [("", 0o640), ("file_mode: \"0600\"", 0o600)])
    func permissions(keys: String, allowed: Int) async throws {
        let directory = try TestDirectory()
        let baton = try await start("server: { \(keys) }", in: directory)
        let image = try await uploadedImage(baton)
        for path in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "disk/\(image)"] {
            #expect(try mode(directory.file(path)) & ~allowed == 0, "\(path)")
        }
        #expect(try mode(directory.file("disk/.uploads")) & ~(allowed | (allowed & 0o444) >> 2) == 0)
    }

    @Test("A catalog that others could read is closed to them at the next start")
    func narrowing() async throws {
        let directory = try TestDirectory()
        do {
            let baton = try await start(in: directory)
            baton.terminate()
            _ = try await baton.exited()
        }
        let path = directory.file("catalog.sqlite")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        let baton = try await start(in: directory)
        #expect(try mode(path) == 0o640 && baton.port > 0)
    }

    @Test("The file of a deleted image is deleted, and other files stay")
    func deletion() async throws {
        let baton = try await start()
        let (kept, deleted) = (try await uploadedImage(baton), try await uploadedImage(baton))
        try Self.content.write(to: baton.directory.file("disk/own"))
        let own = try await baton.addImage(of: Self.content, at: ["file://\(baton.directory.file("disk/own"))"])
        for image in [deleted, own] { #expect(try await baton.send("DELETE", "/v2/images/\(image)").status == 204) }
        _ = await baton.logged { $0.event == "upload.deleted" && $0["path"] == deleted }
        let left = Set(try FileManager.default.contentsOfDirectory(atPath: baton.directory.file("disk")))
        #expect(left == [kept, "own", ".uploads"])
        #expect(try await baton.download(kept, of: Self.content).isComplete)
        #expect(try await orphans(baton).isEmpty)
    }

    @Test("An orphan stays in lists and metrics until its delay is over")
    func orphanLists() async throws {
        let baton = try await start(delay: "1h")
        let (kept, deleted) = (try await uploadedImage(baton), try await uploadedImage(baton))
        #expect(try await baton.send("DELETE", "/v2/images/\(deleted)").status == 204)
        // A file that an earlier version left when its image was deleted without a record of the file, and a file of the operator.
        let forgotten = UUID().uuidString.lowercased()
        for name in [forgotten, "readme"] {
            try Data("12345".utf8).write(to: URL(filePath: baton.directory.file("disk/\(name)")))
        }
        let listed = try await orphans(baton)
        #expect(Set(listed.compactMap { $0["path"] as? String }) == [deleted, forgotten])
        let record = try #require(listed.first { $0["path"] as? String == deleted })
        #expect(record["size"] as? Int64 == Self.content.size && record["orphaned"] as? Bool == true)
        #expect(listed.contains { $0["path"] as? String == forgotten && $0["state"] as? String == "unknown" })
        let all = try await baton.send("GET", "/baton/v1/uploads?limit=1").json
        #expect((all["uploads"] as? [Any])?.count == 1 && all["next"] != nil)
        let metrics = try await baton.send("GET", "/metrics").text
        #expect(metrics.contains(#"baton_uploads{state="orphaned"} 1"#) && metrics.contains(#"baton_uploads{state="used"} 1"#))
        #expect(metrics.contains(#"baton_upload_bytes{state="orphaned"} \#(Self.content.size)"#))
        let endpoint = ["--endpoint", "http://127.0.0.1:\(baton.port)"]
        let table = try await BatonCommand.run(["upload", "list", "--orphans"] + endpoint)
        #expect(table.status == 0 && table.output.contains(deleted) && table.output.contains(forgotten), "\(table.errors)")
        #expect(!table.output.contains(kept))
        let json = try await BatonCommand.run(["upload", "list", "--json"] + endpoint)
        #expect(json.status == 0 && json.output.contains(kept) && json.output.contains(deleted), "\(json.errors)")
        #expect(FileManager.default.fileExists(atPath: baton.directory.file("disk/\(deleted)")))
        for query in ["orphans=maybe", "limit=-1"] {
            #expect(try await baton.send("GET", "/baton/v1/uploads?\(query)").status == 400)
        }
    }

    @Test("No route accepts another image's upload or the uploads' folder as a location")
    func attaching() async throws {
        let directory = try TestDirectory()
        for link in ["alias", "link"] {
            try FileManager.default.createSymbolicLink(atPath: directory.file(link), withDestinationPath: "disk")
        }
        let baton = try await start(
            backends: [
                "whole": #"driver: file, root: "\#(directory.path)""#,
                "alias": #"driver: file, root: "\#(directory.file("alias"))""#,
            ], in: directory)
        let victim = try await uploadedImage(baton)
        let thief = try await baton.addImage()
        try Data("x".utf8).write(to: URL(filePath: directory.file("disk/.uploads/partial")))
        let declared = #""size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}"#
        for path in [
            "disk/\(victim)", "alias/\(victim)", "disk/.uploads/partial", "alias/.uploads/partial", "disk/%2Euploads/partial",
            "link/\(victim)", "link/.uploads/partial",
        ] {
            let url = "file://\(directory.path)/\(path)"
            for (method, route, type, body) in [
                ("POST", "/baton/v1/images/\(thief)/locations", "application/json", #"{"url": "\#(url)", \#(declared)}"#),
                ("POST", "/v2/images/\(thief)/locations", "application/json", #"{"url": "\#(url)"}"#),
                (
                    "PATCH", "/v2/images/\(thief)", "application/openstack-images-v2.1-json-patch",
                    #"[{"op": "add", "path": "/locations/-", "value": {"url": "\#(url)", "metadata": {}}}]"#
                ),
                (
                    "PATCH", "/v2/images/\(thief)", "application/openstack-images-v2.1-json-patch",
                    #"[{"op": "replace", "path": "/locations", "value": [{"url": "\#(url)", "metadata": {}}]}]"#
                ),
            ] {
                let response = try await baton.send(method, route, headers: ["Content-Type": type], body: body)
                #expect(
                    response.status == 403 && response.errorMessage.contains("The path belongs to"),
                    "\(route) \(path): \(response.text)")
            }
        }
        #expect(try await baton.locations(of: thief).isEmpty)
        // A file below the same root that is not an upload is accepted.
        try Self.content.write(to: directory.file("disk/own"))
        _ = try await baton.addImage(of: Self.content, at: ["file://\(directory.file("disk/own"))"])
        // The file of a deleted image is still refused.
        #expect(try await baton.send("DELETE", "/v2/images/\(victim)").status == 204)
        let late = try await baton.send(
            "POST", "/baton/v1/images/\(thief)/locations",
            body: #"{"url": "file://\#(directory.file("disk/\(victim)"))", \#(declared)}"#)
        #expect(late.status == 403)
    }

    @Test("An upload without a Content-Length is refused at the first byte beyond its quota")
    func quotaWhileItComesIn() async throws {
        let baton = try await start("quotas: { bytes: 700KiB }", delay: "1h")
        let image = try await baton.addImage()
        let content = PatternedContent(size: 64 << 20, seed: 57)
        let response = try await onOwnThread { [port = baton.port] in
            let client = try TestClient(port: port, timeout: 60)
            // The rest never comes.
            try client.beginUpload(of: content, to: image, sending: 800 << 10, chunked: true)
            var response = client.receiveHead()
            client.receiveBody(&response)
            return response
        }
        #expect(response.status == 413 && response.errorMessage.contains("quotas.bytes"), "\(response.status)")
    }

    @Test("Images and uploads over the quotas are refused with 413, and the rest stays as it was")
    func quotas() async throws {
        let baton = try await start("quotas: { images: 3, bytes: 700KiB }", delay: "1h")
        let first = try await uploadedImage(baton)
        let second = try await uploadedImage(baton)
        let third = try await baton.addImage()
        let refused = try await baton.send("POST", "/v2/images", body: "{}")
        #expect(refused.status == 413 && refused.errorMessage.contains("quotas.images"), "\(refused.text)")
        for chunked in [true, false] {
            let response = try await baton.upload(Self.content, to: third, chunked: chunked)
            #expect(response.status == 413 && response.errorMessage.contains("quotas.bytes"), "\(response.text)")
            #expect(try await baton.send("GET", "/v2/images/\(third)").json["status"] as? String == "queued")
        }
        #expect(try await baton.upload(PatternedContent(size: 1000, seed: 1), to: third).status == 204)
        let disk = baton.directory.file("disk")
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: disk)) == [first, second, third, ".uploads"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk + "/.uploads").isEmpty)
        // A deleted image frees its quota at once: its file is deleted when the space is needed.
        #expect(try await baton.send("DELETE", "/v2/images/\(first)").status == 204)
        let fourth = try await uploadedImage(baton)
        _ = await baton.logged { $0.event == "upload.deleted" && $0["path"] == first }
        #expect(try await baton.download(fourth, of: Self.content).isComplete)
    }
}
