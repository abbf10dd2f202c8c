internal import Foundation
internal import Glibc

/// An HTTPS server with a certificate of its own that serves files of a directory: `openssl s_server`.
final class TLSFileServer: Sendable {
    let port: Int
    /// The file that its certificate can be checked with.
    let certificate: String
    private let process: Process

    /// - Parameter directory: what it serves; certificate and key are put there.
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
            var text = ""
            while true {
                if let match = text.firstMatch(of: /ACCEPT 127\.0\.0\.1:([0-9]+)\n/), let port = Int(match.1) { return port }
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { throw StartFailed(reason: text) }
                text += String(decoding: data, as: UTF8.self)
            }
        }
        Thread.detachNewThread { while !output.fileHandleForReading.availableData.isEmpty {} }
    }

    struct StartFailed: Error {
        let reason: String
    }

    deinit {
        Leftovers.remove(process)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
