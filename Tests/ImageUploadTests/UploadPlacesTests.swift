import Foundation
import ImageModel
import ImageUpload
import NIOCore
import NIOPosix
import Testing

/// The permissions of uploaded files, and which paths belong to uploads.
@Suite struct UploadPlacesTests {
    private let root = NSTemporaryDirectory() + "baton-upload-\(UUID().uuidString)"

    private func directory(mode: FileMode = .standard) throws -> UploadDirectory {
        try FileManager.default.createDirectory(atPath: root + "/disk", withIntermediateDirectories: true)
        return UploadDirectory(root: root + "/disk", limit: 1 << 20, mode: mode, threads: .singleton)
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(root)/disk/\(path)")
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func body(_ text: String) -> AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            continuation.yield(ByteBuffer(string: text))
            continuation.finish()
        }
    }

    @Test("Files and the temporary directory have at most the configured permissions", arguments: ["0640", "0600", "0660"])
    func permissions(text: String) async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let wanted = try #require(FileMode(text))
        let directory = try directory(mode: wanted)
        try directory.prepare()
        _ = try await directory.receive(body("x"), announced: nil, named: "image")
        #expect(try mode("image") & ~Int(wanted.bits) == 0)
        #expect(try mode(".uploads") & ~Int(wanted.directoryBits) == 0)
    }

    @Test("A temporary directory that everyone can read loses that permission")
    func narrowing() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try FileManager.default.createDirectory(
            atPath: root + "/disk/.uploads", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try directory.prepare()
        #expect(try mode(".uploads") == 0o750)
    }

    @Test("File modes are parsed strictly")
    func modes() {
        #expect(FileMode("0640") == .standard && FileMode("640") == .standard && FileMode("0600")?.directoryBits == 0o700)
        #expect(
            FileMode.standard.directoryBits == 0o750 && FileMode.standard.umask == 0o027 && "\(FileMode.standard)" == "0640")
        for text in [
            "", "6", "0", "0777", "0666", "0740", "0440", "0240", "0o640", "-640", "+640", "10640", "640 ", "rw-r-----", "888",
        ] {
            #expect(FileMode(text) == nil, "\(text)")
        }
    }

    @Test("The paths of uploads are recognised through every root and link")
    func places() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try directory.prepare()
        let files = FileManager.default
        try files.createDirectory(atPath: root + "/disk/sub", withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: root + "/alias", withDestinationPath: "disk")
        try files.createSymbolicLink(atPath: root + "/disk/self", withDestinationPath: ".")
        try files.createSymbolicLink(atPath: root + "/disk/link", withDestinationPath: "image")
        _ = try await directory.receive(body("x"), announced: nil, named: "image")
        let cases: [(root: String, path: String, role: UploadDirectory.PathRole)] = [
            ("/disk", "image", .file("image")), ("/disk", "missing", .file("missing")), ("/disk", ".uploads/x", .temporary),
            ("/disk", ".uploads", .temporary), ("/disk", ".uploads/\u{301}x", .temporary),
            ("/alias", "self/.uploads/\u{301}x", .temporary), ("/disk", "\u{301}x", .file("\u{301}x")),
            ("/disk", "sub/image", .elsewhere), ("/disk", "sub/.uploads/x", .elsewhere),
            ("", "disk/image", .file("image")), ("", "disk/.uploads/x", .temporary), ("", "image", .elsewhere),
            ("/alias", "image", .file("image")), ("/alias", ".uploads/x", .temporary), ("", "alias/missing", .file("missing")),
            ("/disk/.uploads", "x", .temporary), ("/disk", "self/image", .file("image")),
            ("/disk", "self/.uploads/x", .temporary),
            ("/disk", "link", .file("image")), ("/disk2", "image", .elsewhere), ("/nowhere", "x", .elsewhere),
        ]
        for (other, path, role) in cases {
            #expect(try await directory.role(of: path, below: root + other) == role, "\(other) \(path)")
        }
        #expect(try await directory.files().map(\.name) == ["image"])
    }

    @Test("A removed upload is gone, and removing it again is no error")
    func removal() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try directory.prepare()
        _ = try await directory.receive(body("x"), announced: nil, named: "image")
        try await directory.remove("image")
        try await directory.remove("image")
        #expect(try await directory.files().isEmpty)
    }

    @Test("An upload that exceeds its project's quota is refused as it arrives and leaves no file")
    func quota() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try directory.prepare()
        await #expect(throws: UploadError.overQuota(room: 4)) {
            try await directory.receive(body("12345"), announced: nil, quota: 4, named: "image")
        }
        #expect(try await directory.files().isEmpty)
        #expect(try await directory.receive(body("1234"), announced: nil, quota: 4, named: "image").size == 4)
    }
}
