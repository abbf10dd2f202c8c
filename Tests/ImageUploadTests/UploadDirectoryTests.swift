import FormatInspection
import Foundation
import ImageModel
import ImageUpload
import Integrity
import NIOCore
import NIOPosix
import Testing

@Suite struct UploadDirectoryTests {
    let root = NSTemporaryDirectory() + "baton-upload-\(UUID().uuidString)"

    private func directory(limit: Int64 = 1 << 30) throws -> UploadDirectory {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let directory = UploadDirectory(root: root, limit: limit, threads: .singleton)
        try directory.prepare()
        return directory
    }

    /// A body in parts of one size, with an error in the middle if `breaking` is set.
    private func body(_ bytes: [UInt8], part: Int, breaking: Int? = nil) -> AsyncThrowingStream<ByteBuffer, any Error> {
        AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: part) {
                if let breaking, start >= breaking { return continuation.finish(throwing: Broken()) }
                continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + part, bytes.count)]))
            }
            continuation.finish()
        }
    }

    private struct Broken: Error {}

    private func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0 != ".uploads" }.sorted()
    }

    private func digest(_ bytes: [UInt8], _ algorithm: DigestAlgorithm) -> Digest {
        let stream = DigestStream(algorithm)
        bytes.withUnsafeBytes { stream.update($0) }
        return stream.finish()
    }

    @Test(
        "An upload becomes the exact file with its digests",
        arguments: [(0, 1), (1, 1), (5000, 7), (3_000_000, 65_536), (1 << 20, 1 << 20), (1 << 21, 1 << 19)])
    func anUploadBecomesTheExactFileWithItsDigests(size: Int, part: Int) async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let file = try await directory().receive(body(bytes, part: part), announced: Int64(size), named: "image")
        #expect(file.size == Int64(size) && file.name == "image")
        #expect(FileManager.default.contents(atPath: root + "/image") == Data(bytes))
        for algorithm in [DigestAlgorithm.sha256, .sha512, .md5] {
            #expect(file.digests[algorithm] == digest(bytes, algorithm))
        }
        #expect(try files() == ["image"], "a temporary file is left")
    }

    @Test("A failed upload leaves no file")
    func aFailedUploadLeavesNoFile() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let bytes = [UInt8](repeating: 7, count: 3_000_000)
        let small = try directory(limit: 2_000_000)
        await #expect(throws: UploadError.tooLarge(limit: 2_000_000)) {
            try await small.receive(body(bytes, part: 65_536), announced: nil, named: "a")
        }
        await #expect(throws: UploadError.tooLarge(limit: 2_000_000)) {
            try await small.receive(body(bytes, part: 65_536), announced: 3_000_000, named: "a")
        }
        let large = try directory()
        await #expect(throws: Broken.self) {
            try await large.receive(body(bytes, part: 65_536, breaking: 2_000_000), announced: nil, named: "b")
        }
        for announced in [2_999_999, 3_000_001] as [Int64] {
            await #expect(throws: UploadError.wrongSize(announced: announced, received: 3_000_000)) {
                try await large.receive(body(bytes, part: 65_536), announced: announced, named: "c")
            }
        }
        #expect(try files() == [])
    }

    @Test("An upload that is not of the declared format leaves no file", arguments: [1, 7, 65_536])
    func anotherFormat(part: Int) async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let bytes = [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 2000)
        let directory = try directory()
        await #expect(throws: UploadError.refusedFormat(.mismatch(declared: .raw, found: .qcow2))) {
            try await directory.receive(
                body(bytes, part: part), announced: nil, named: "a", declared: Format(disk: .raw, container: .bare))
        }
        #expect(try files() == [])
        let sound = try await directory.receive(
            body(bytes, part: part), announced: nil, named: "a", declared: Format(disk: .qcow2, container: .bare))
        #expect(sound.size == Int64(bytes.count))
        let unseen = try await directory.receive(body(bytes, part: part), announced: nil, named: "b")
        #expect(unseen.size == Int64(bytes.count))
    }

    @Test("An existing file is not overwritten")
    func anExistingFileIsNotOverwritten() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try Data("old".utf8).write(to: URL(filePath: root + "/image"))
        await #expect(throws: UploadError.exists(name: "image")) {
            try await directory.receive(body([1], part: 1), announced: nil, named: "image")
        }
        #expect(FileManager.default.contents(atPath: root + "/image") == Data("old".utf8))
        #expect(try files() == ["image"])
        try await directory.remove("image")
        #expect(try files() == [])
    }

    @Test("Another upload's temporary file is left alone")
    func anotherUploadsTemporaryFileIsLeftAlone() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try directory.prepare()
        let another = root + "/.uploads/image"
        try Data("half".utf8).write(to: URL(filePath: another))
        await #expect(throws: UploadError.self) {
            try await directory.receive(body([1], part: 1), announced: nil, named: "image")
        }
        #expect(FileManager.default.contents(atPath: another) == Data("half".utf8))
    }

    @Test("Temporary files that a restart left behind are removed")
    func temporaryFilesLeftByARestartAreRemoved() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try Data("half".utf8).write(to: URL(filePath: root + "/.uploads/image"))
        try Data("whole".utf8).write(to: URL(filePath: root + "/other"))
        try directory.prepare()
        #expect(try files() == ["other"])
    }

    @Test("A missing directory is reported")
    func aMissingDirectoryIsReported() {
        let directory = UploadDirectory(root: root + "/nowhere", limit: 1, threads: .singleton)
        let error = #expect(throws: UploadError.self) { try directory.prepare() }
        #expect(error?.description.contains("No such file or directory") == true)
    }

    @Test("An upload is claimed by one request at a time, and a cleanup leaves it alone")
    func claims() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try directory()
        try await directory.claiming("a") {
            #expect(directory.isUnderWay("a") && !directory.isUnderWay("b"))
            try Data("x".utf8).write(to: URL(filePath: root + "/.uploads/a"))
            try Data("x".utf8).write(to: URL(filePath: root + "/.uploads/b"))
            try directory.prepare()
            #expect(try files() == [".uploads/a", ".uploads/a.lock"])
            await #expect(throws: UploadError.underWay(name: "a")) { try await directory.claiming("a") {} }
            try await directory.claiming("b") {}
        }
        await #expect(throws: Broken.self) { try await directory.claiming("a") { throw Broken() } }
        #expect(!directory.isUnderWay("a"))
        try directory.prepare()
        #expect(try files() == [])
        try await directory.claiming("a") {}
    }
}
