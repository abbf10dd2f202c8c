import FaultyOrigin
import Foundation
import Glibc
import Testing

/// Faults of a file that a location names; another location is sound throughout.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FileScenarios {
    static let content = PatternedContent(size: 5_000_011, seed: 7)

    /// A change of the file between its registration and the download.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: String
        let play: @Sendable (_ path: String) throws -> Void
    }

    static let faults: [Fault] = [
        Fault(testDescription: "missing", reason: "missing") { try FileManager.default.removeItem(atPath: $0) },
        Fault(testDescription: "unreadable", reason: "unreadable") { try #require(chmod($0, 0) == 0) },
        Fault(testDescription: "a directory", reason: "not-a-file") { path in
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        },
        Fault(testDescription: "a FIFO", reason: "not-a-file") { path in
            try FileManager.default.removeItem(atPath: path)
            try #require(mkfifo(path, 0o644) == 0)
        },
        Fault(testDescription: "a symbolic link out of the root", reason: "outside-root") { path in
            let outside = URL(filePath: path).deletingLastPathComponent().deletingLastPathComponent().appending(path: "moved")
            try FileManager.default.moveItem(atPath: path, toPath: outside.path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: outside.path)
        },
        Fault(testDescription: "shorter", reason: "wrong-size") { try #require(truncate($0, 4_000_000) == 0) },
    ]

    /// A server that does not run as root, for whom no file is unreadable.
    private func server(_ directory: TestDirectory, _ sound: FaultyOrigin) async throws -> BatonProcess {
        try FileManager.default.createDirectory(atPath: directory.file("root"), withIntermediateDirectories: true)
        try Self.content.write(to: directory.file("root/image"))
        try #require(chmod(directory.path, 0o777) == 0)
        return try await BatonProcess(
            backends: [
                "disk": #"driver: file, root: "\#(directory.file("root"))""#,
                "sound": #"driver: http, url: "\#(sound.url(""))""#,
            ], directory: directory, withoutPrivileges: true)
    }

    @Test("A file that is no longer what it was costs only a failover", arguments: faults)
    func aFileThatIsNotWhatItWasCostsOnlyAFailover(fault: Fault) async throws {
        let sound = try FaultyOrigin(Self.content)
        defer { sound.stop() }
        let directory = try TestDirectory()
        let baton = try await server(directory, sound)
        let image = try await baton.addImage(
            of: Self.content, at: ["file://\(directory.file("root/image"))", sound.url()])
        #expect(try await baton.locations(of: image).first?["status"] as? String == "active")
        try fault.play(directory.file("root/image"))
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["served"] == ["sound 0-\(Self.content.size - 1)"])
        #expect(relay.fields["failures"]?.first?.hasPrefix("disk \(fault.reason):") == true)
    }

    /// Changes of the file while it is being read.
    static let changes: [Fault] = [
        Fault(testDescription: "truncated", reason: "") { try #require(truncate($0, 1_000_000) == 0) },
        Fault(testDescription: "replaced", reason: "") { path in
            try PatternedContent(size: 64 << 20, seed: 99).write(to: path + ".new")
            try #require(rename(path + ".new", path) == 0)
        },
        Fault(testDescription: "rewritten in place", reason: "") { path in
            let file = try FileHandle(forUpdating: URL(filePath: path))
            let other = PatternedContent(size: 64 << 20, seed: 98)
            try file.seek(toOffset: 0)
            for _ in 0..<64 { try file.write(contentsOf: Data(other.bytes(in: 0..<(1 << 20)))) }
            try file.close()
        },
        Fault(testDescription: "deleted", reason: "") { try FileManager.default.removeItem(atPath: $0) },
    ]

    @Test("A file that changes while it is read delivers no byte of its new content", arguments: changes)
    func aChangedFileDeliversNoByteOfItsNewContent(fault: Fault) async throws {
        let content = PatternedContent(size: 64 << 20, seed: 8)
        let sound = try FaultyOrigin(content)
        defer { sound.stop() }
        let directory = try TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("root"), withIntermediateDirectories: true)
        let path = directory.file("root/image")
        try content.write(to: path)
        let baton = try await BatonProcess(
            backends: [
                "disk": #"driver: file, root: "\#(directory.file("root"))""#,
                "sound": #"driver: http, url: "\#(sound.url(""))""#,
            ], directory: directory)
        let image = try await baton.addImage(of: content, at: ["file://\(path)", sound.url()])
        let port = baton.port
        let response = try await onOwnThread {
            // A small window: the server cannot have read far ahead when the file changes.
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 2 << 20, expected: (content, 0))
            try fault.play(path)
            client.receiveBody(&response, expected: (content, 0))
            return response
        }
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "finished")
        #expect(relay.fields["served"]?.count == 2)
    }
}
