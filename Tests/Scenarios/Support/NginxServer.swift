internal import FaultyOrigin
internal import Foundation
internal import Glibc

/// A real nginx that serves the files of a directory: one process, so that killing it ends everything.
final class NginxServer: Sendable {
    let port: Int
    let directory: TestDirectory
    private let process: Process

    /// - Parameter bytesPerSecond: the most that one answer gets in a second; 0 is as fast as it can.
    init(bytesPerSecond: Int = 0) async throws {
        let directory = try TestDirectory()
        self.directory = directory
        port = try FaultyOrigin.refusedPort()
        let home = directory.path
        try FileManager.default.createDirectory(atPath: directory.file("data"), withIntermediateDirectories: true)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(home)/\($0);" }
        let configuration = try directory.write(
            """
            daemon off; master_process off; pid \(home)/nginx.pid; error_log \(home)/error.log;
            events {}
            http {
                access_log \(home)/access.log; default_type application/octet-stream; \(temporary.joined(separator: " "))
                server {
                    listen 127.0.0.1:\(port); root \(home)/data; sendfile_max_chunk 64k; limit_rate \(bytesPerSecond);
                }
            }
            """, to: "nginx.conf")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/sbin/nginx")
        process.arguments = ["-e", directory.file("error.log"), "-c", configuration]
        for stream in [\Process.standardInput, \.standardOutput, \.standardError] {
            process[keyPath: stream] = FileHandle.nullDevice
        }
        try process.run()
        self.process = process
        Leftovers.add(process) { [process] in if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }
        // The test's time limit bounds the wait.
        while (try? TestClient(port: port)) == nil {
            guard process.isRunning else { throw StartFailed() }
            await Task.yield()
        }
    }

    struct StartFailed: Error {}

    deinit {
        Leftovers.remove(process)
        kill()
    }

    /// Ends it at once.
    func kill() {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
    }

    /// Places a file.
    /// - Returns: its URL.
    func serve(_ content: PatternedContent, as name: String = "image") throws -> String {
        try content.write(to: directory.file("data/\(name)"))
        return url(name)
    }

    func url(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }
}
