import CurlTransfer
import Glibc
import Synchronization
import Testing
import TransferRecording
import Waiting

/// Reads of files whose disk hangs or fails.
@Suite(.timeLimit(.minutes(5)))
struct FileWorkersTests {
    /// A disk that hangs until it is let go.
    private final class Disk: Sendable {
        private let isHanging = Mutex(true)
        let opened = Mutex(0)

        func open() throws(TransferError) -> OpenedFile {
            opened.withLock { $0 += 1 }
            try? eventuallyOnThread("the disk to be let go") { isHanging.withLock { !$0 } }
            throw TransferError(.other, message: "the disk is back, the file is not")
        }

        func letGo() { isHanging.withLock { $0 = false } }
    }

    /// The kernel has files that can be opened and not read: the speed of an interface that has none.
    @Test("A failed read of a file is reported with the system's error")
    func aFailedReadIsReportedWithTheSystemsError() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let source = FileSource(workers: FileWorkers(name: "kernel", limit: 1)) { () throws(TransferError) in
            try .open("speed", beneath: "/sys/devices/virtual/net/lo")
        }
        let result = await loop.run(TransferRequest(source: .file(source), range: 0...99))
        #expect(result.error?.kind == .file(errno: EINVAL), "\(String(describing: result.error))")
        #expect(result.bytes.isEmpty)
    }

    @Test("A read that no worker has started is released when it is cancelled")
    func aCancelledReadThatHasNotStartedIsReleased() async throws {
        let disk = Disk()
        let workers = FileWorkers(name: "hanging", limit: 1)
        let loop = TransferLoop()
        defer {
            disk.letGo()
            loop.stop()
        }
        let source = FileSource(workers: workers) { () throws(TransferError) in try disk.open() }
        let request = TransferRequest(source: .file(source), range: 0...99)
        try await loop.turn { _ = loop.start(request, sink: RecordingSink { _ in }) }
        try await eventually("the file to be opened") { disk.opened.withLock { $0 } > 0 }
        weak var waiting: RecordingSink?
        do {
            let sink = RecordingSink { _ in }
            waiting = sink
            try await loop.turn { loop.cancel(loop.start(request, sink: sink)) }
        }
        try await loop.turn()
        #expect(waiting == nil, "the cancelled read still waits for a worker")
    }
}
