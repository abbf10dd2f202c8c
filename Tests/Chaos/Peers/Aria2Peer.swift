import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// aria2c with the list of an image's locations and its digest. It is not a proxy: its file is compared after it has exited.
struct Aria2Peer: Peer {
    let name = "aria2"
    private let directory: TestDirectory
    private static let program = "/usr/bin/aria2c"

    init() throws {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            throw Unavailable(reason: "aria2 is not installed")
        }
        directory = try TestDirectory()
    }

    func prepare(_ image: StoredImage) async throws { try await readUndisturbed(image) }

    func read(_ plan: PlannedDownload, _ image: StoredImage, inject: @escaping @Sendable () throws -> Void) async throws
        -> Reading
    {
        let file = directory.file(image.name)
        defer { for path in [file, file + ".aria2"] { try? FileManager.default.removeItem(atPath: path) } }
        let injectAt = plan.injections.first { $0.act == .external }?.offset
        return try await onOwnThread {
            let process = Process()
            process.executableURL = URL(filePath: Self.program)
            process.arguments =
                [
                    "--quiet", "--no-conf", "--dir=\(URL(filePath: file).deletingLastPathComponent().path)",
                    "--out=\(image.name)", "--checksum=sha-256=\(image.sha256)", "--file-allocation=none",
                    "--uri-selector=inorder", "--timeout=1", "--connect-timeout=1", "--max-tries=5", "--retry-wait=0",
                ] + image.urls
            for stream in [\Process.standardInput, \.standardOutput, \.standardError] {
                process[keyPath: stream] = FileHandle.nullDevice
            }
            try process.run()
            let deadline = ContinuousClock.now + .seconds(Reading.timeout)
            var isDue = injectAt != nil
            while process.isRunning {
                guard ContinuousClock.now < deadline else {
                    kill(process.processIdentifier, SIGKILL)
                    _ = process.exitCode()
                    return Reading(.hung, remark: "has not exited")
                }
                if isDue, let injectAt, Self.size(of: file) >= injectAt {
                    isDue = false
                    try inject()
                }
                usleep(1_000)
            }
            let status = process.exitCode()
            let size = Self.size(of: file)
            guard status == 0 else { return Reading(.failed, received: size, remark: "exit code \(status)") }
            guard size == image.content.size, try !Self.differs(file, from: image.content) else {
                return Reading(.wrong, received: size, remark: "exit code 0")
            }
            return Reading(.exact, received: size)
        }
    }

    private static func size(of file: String) -> Int64 {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    private static func differs(_ file: String, from content: PatternedContent) throws -> Bool {
        let data = try Data(contentsOf: URL(filePath: file), options: .alwaysMapped)
        return data.withUnsafeBytes { content.firstDifference(from: $0, at: 0) != nil }
    }
}
