package import FaultyOrigin
import Foundation
import Glibc
import Synchronization
import Waiting

/// A real nginx that serves the files of a directory: a single process, so that killing it ends all connections.
package final class NginxServer: Sendable {
    package let port: Int
    package let directory: TestDirectory
    private let process: Mutex<Process>
    private let command: [String]
    private let isInOwnNetwork: Bool

    /// - Parameters:
    ///   - bytesPerSecond: the rate limit of each response; 0 for unlimited.
    ///   - isInOwnNetwork: whether nginx runs in its own network namespace, in which it is unreachable until a link is added.
    package init(bytesPerSecond: Int = 0, isInOwnNetwork: Bool = false) async throws {
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
                    listen \(isInOwnNetwork ? "0.0.0.0" : "127.0.0.1"):\(port); root \(home)/data; sendfile_max_chunk 64k; limit_rate \(bytesPerSecond);
                }
            }
            """, to: "nginx.conf")
        self.isInOwnNetwork = isInOwnNetwork
        command =
            (isInOwnNetwork ? ["/usr/bin/unshare", "--net"] : [])
            + ["/usr/sbin/nginx", "-e", directory.file("error.log"), "-c", configuration]
        process = Mutex(try Self.start(command))
        try await waitUntilReady()
    }

    private static func start(_ command: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        for stream in [\Process.standardInput, \.standardOutput, \.standardError] {
            process[keyPath: stream] = FileHandle.nullDevice
        }
        try process.run()
        Leftovers.add(process) { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }
        return process
    }

    private func waitUntilReady() async throws {
        try await eventually("nginx to listen at \(port)") {
            if isInOwnNetwork || (try? TestClient(port: port)) != nil { return true }
            guard process.withLock(\.isRunning) else { throw StartFailed() }
            return false
        }
    }

    package struct StartFailed: Error {}

    deinit {
        Leftovers.remove(process.withLock { $0 })
        kill()
    }

    package var processID: Int32 { process.withLock(\.processIdentifier) }

    /// Kills nginx, which ends all connections.
    package func kill() { signal(SIGKILL) }

    /// Sends a signal to nginx if it is running.
    package func signal(_ signal: Int32) {
        process.withLock { if $0.isRunning { Glibc.kill($0.processIdentifier, signal) } }
    }

    /// Starts nginx again on the same port after it was killed.
    package func revive() async throws {
        try process.withLock { process in
            _ = process.exitCode()
            Leftovers.remove(process)
            process = try Self.start(command)
        }
        try await waitUntilReady()
    }

    /// Stores content as a file.
    /// - Returns: the URL of the file.
    package func serve(_ content: PatternedContent, as name: String = "image") throws -> String {
        try content.write(to: directory.file("data/\(name)"))
        return url(name)
    }

    package func url(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }
}
