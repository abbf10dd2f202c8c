import Foundation
import Testing

/// Servers that listen on a socket file.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SocketFileScenarios {
    private let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private var path: String { directory.file("baton.sock") }

    private func server(_ settings: String = "") async throws -> BatonProcess {
        try await BatonProcess(backends: [:], settings: settings, listen: "unix:\(path)")
    }

    private func list() async throws -> BatonCommand.Result {
        try await BatonCommand.run(["image", "list", "--endpoint", "unix:\(path)"])
    }

    /// The file's permissions.
    private func mode() throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("Clients talk to a server on a socket file, which the server removes when it stops")
    func clients() async throws {
        let baton = try await server()
        let added = try await BatonCommand.run(
            ["image", "add", "here", "--disk-format", "raw", "--container-format", "bare", "--endpoint", "unix:\(path)"])
        #expect(added.status == 0, "\(added.errors)")
        #expect(try await list().output.contains("here"))
        let curl = try await BatonCommand.run(
            ["-sS", "--unix-socket", path, "http://any.name/v2/images"], program: "/usr/bin/curl")
        #expect(curl.output.contains("here"), "\(curl.output)\(curl.errors)")
        let page = try await BatonCommand.run(
            ["-sS", "--unix-socket", path, "-H", "Origin: http://evil.example", "http://any.name/v2/images"],
            program: "/usr/bin/curl")
        #expect(page.output.contains("403"))
        baton.terminate()
        #expect(try await baton.exited() == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("The socket file has the configured mode", arguments: [("", 0o660), ("server: { socket_mode: 0600 }", 0o600)])
    func modes(settings: String, expected: Int) async throws {
        let baton = try await server(settings)
        #expect(try mode() == expected)
        #expect(try await list().status == 0)
        _ = baton.processID
    }

    @Test("A server replaces a socket file that a dead server left behind")
    func leftFiles() async throws {
        let first = try await server()
        kill(first.processID, SIGKILL)
        _ = try await first.exited()
        #expect(FileManager.default.fileExists(atPath: path))
        let second = try await server()
        #expect(try await list().status == 0)
        _ = second.processID
    }

    @Test("A server does not replace a socket file on which another server listens")
    func liveServers() async throws {
        let first = try await server()
        let error = await #expect(throws: BatonProcess.StartFailed.self) { _ = try await server() }
        #expect(error?.log.contains("is taken by another program that listens there") == true, "\(error?.log ?? "")")
        #expect(try await list().status == 0)
        _ = first.processID
    }

    @Test("A server does not replace a file that is not a socket")
    func otherFiles() async throws {
        _ = try directory.write("precious", to: "baton.sock")
        let error = await #expect(throws: BatonProcess.StartFailed.self) { _ = try await server() }
        #expect(error?.log.contains("is not a socket") == true, "\(error?.log ?? "")")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }
}
