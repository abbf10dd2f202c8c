import BackendKit
import CurlTransfer
import FileBackend
import Foundation
import ImageModel
import Synchronization
import Testing
import TransferRecording
import Waiting

/// Real files, read through the driver.
@Suite(.timeLimit(.minutes(5)))
final class FileReadTests: Sendable {
    private let root = NSTemporaryDirectory() + "baton-file-\(UUID().uuidString)"
    private let loop = TransferLoop()
    private let driver: FileDriver

    init() throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        driver = FileDriver(root: root, workers: FileWorkers(name: "disk", limit: 1), maximumRange: 64 << 20)
    }

    deinit {
        loop.stop()
        try? FileManager.default.removeItem(atPath: root)
    }

    private func write(_ bytes: [UInt8], to name: String) throws -> String {
        let path = "\(root)/\(name)"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    private func read(
        _ path: String, _ range: ClosedRange<Int64>, onBegin: @escaping @Sendable () -> Void = {}
    ) async -> (result: RecordingSink.Result, head: ObjectHead?) {
        let request = ReadRequest(path: path, range: ByteRange(first: range.lowerBound, last: range.upperBound))
        let result = await loop.run(driver.transferRequest(for: request), onBegin: onBegin)
        return (result, result.heads.first.flatMap { try? driver.inspect($0, of: request).get() })
    }

    @Test("A range delivers exactly its bytes")
    func exactBytes() async throws {
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        _ = try write(bytes, to: "image")
        for range in [0...0, 0...3_000_000, 1_048_575...2_097_153, 3_000_000...3_000_000, 2_999_990...9_000_000]
            as [ClosedRange<Int64>]
        {
            let (result, head) = await read("image", range)
            #expect(result.error == nil)
            #expect(result.bytes == Array(bytes[Int(range.lowerBound)...min(3_000_000, Int(range.upperBound))]))
            #expect(head?.count == Int64(result.bytes.count) && head?.total == 3_000_001)
        }
    }

    @Test("Only a regular file below the root is read")
    func otherThings() async throws {
        try FileManager.default.createDirectory(atPath: "\(root)/folder", withIntermediateDirectories: true)
        try #require(mkfifo("\(root)/fifo", 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: "\(root)/out", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(atPath: "\(root)/up", withDestinationPath: "..")
        for path in ["folder", "fifo", "out", "up", "missing", "../\(URL(filePath: root).lastPathComponent)/folder", "", "."] {
            let (result, _) = await read(path, 0...9)
            #expect(result.error != nil && result.bytes.isEmpty && result.heads.isEmpty, "\(path)")
        }
    }

    /// A change of a file during a read of it.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (_ path: String) -> Void
    }

    private static let changes = [
        Change(testDescription: "written") { path in
            let file = open(path, O_WRONLY)
            _ = pwrite(file, "x", 1, 60 << 20)
            close(file)
        },
        Change(testDescription: "given its old times") { path in
            // As after a rewrite by a program that hides it; the rewrite itself would be noticed in the moment before.
            var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 5), timespec(tv_sec: 1_000_000_000, tv_nsec: 5)]
            utimensat(AT_FDCWD, path, &times, 0)
        },
        Change(testDescription: "cut") { path in
            truncate(path, 63 << 20)
            truncate(path, 64 << 20)
        },
    ]

    @Test("A file that changes during a read delivers no byte", arguments: changes)
    func changesDuringARead(change: Change) async throws {
        let path = try write([UInt8](repeating: 7, count: 64 << 20), to: "image")
        var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 5), timespec(tv_sec: 1_000_000_000, tv_nsec: 5)]
        utimensat(AT_FDCWD, path, &times, 0)
        // The change usually falls into the read; where it came too early or too late, the file is read again.
        for _ in 0..<200 {
            let isReading = Phase()
            let changer = Thread {
                try? eventuallyOnThread("the read to begin") { isReading.value > 0 }
                while isReading.value == 1 { change.make(path) }
            }
            changer.start()
            let (result, head) = await read("image", 0...(64 << 20) - 1) { isReading.set(1) }
            isReading.set(2)
            try await eventually("the changes to end") { changer.isFinished }
            guard let error = result.error else {
                #expect(result.bytes.count == 64 << 20 && head != nil)
                continue
            }
            #expect(error.kind == .fileChanged && result.bytes.isEmpty && result.heads.isEmpty)
            return
        }
        Issue.record("the file changed during 200 reads, and none of them detected it")
    }

    @Test("A file that was rewritten and given its old times has another validator")
    func rewritten() async throws {
        let path = try write([1, 2, 3], to: "image")
        var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 5), timespec(tv_sec: 1_000_000_000, tv_nsec: 5)]
        utimensat(AT_FDCWD, path, &times, 0)
        let before = await read("image", 0...2).head?.validator
        #expect(before != nil)
        // The system's clock for files has coarse ticks.
        try await eventually("another validator") {
            let file = open(path, O_WRONLY)
            _ = pwrite(file, "x", 1, 1)
            close(file)
            utimensat(AT_FDCWD, path, &times, 0)
            return await read("image", 0...2).head?.validator != before
        }
        var status = stat()
        stat(path, &status)
        #expect(status.st_mtim.tv_sec == 1_000_000_000 && status.st_mtim.tv_nsec == 5, "the old time is there again")
    }
}

/// The phase that two threads share: 0 before the read, 1 during it, 2 after it.
private final class Phase: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .acquiring) }

    func set(_ value: Int) { number.store(value, ordering: .releasing) }
}
