import Foundation
import Glibc

/// An HTTPS server with its own certificate that serves the files of a directory: `openssl s_server`.
final class TLSFileServer: Sendable {
    let port: Int
    /// The file of the self-signed certificate, with which clients verify the server.
    let certificate: String
    private let process: Process

    /// Starts the server on a free port.
    /// - Parameter directory: the directory to serve; certificate and key are stored in it, too.
    init(_ directory: TestDirectory) async throws {
        let made = try await TestCertificate("certificate", in: directory)
        certificate = made.file
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", made.keyFile, "-WWW"]
        process.currentDirectoryURL = URL(filePath: directory.path)
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        Leftovers.add(process) { [process] in if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        port = try await onOwnThread {
            try output.fileHandleForReading.read(until: "openssl s_server to say where it listens") { text in
                text.firstMatch(of: /ACCEPT 127\.0\.0\.1:([0-9]+)\n/).flatMap { Int($0.1) }
            }
        }
        Thread.detachNewThread { while !output.fileHandleForReading.availableData.isEmpty {} }
    }

    deinit {
        Leftovers.remove(process)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
