import BackendKit
import CurlTransfer
import Glibc
import ImageCatalog
import ImageModel
import Synchronization
import Testing
import Waiting

@testable import LocationUpkeep

/// Full reads of files whose disk hangs, so that all workers of their backend are held up.
@Suite(.timeLimit(.minutes(5)))
struct HangingFileTests {
    /// Hangs when it opens a file, until it is let go.
    private final class HangingDriver: Driver {
        let capabilities = Capabilities(ranges: true, redirectable: false, writable: false, maximumRange: 1 << 20)
        private let workers = FileWorkers(name: "hanging", limit: 1)
        private let isHanging = Mutex(true)
        private let opened = Mutex(0)

        var hasOpened: Bool { opened.withLock { $0 } > 0 }

        func letGo() { isHanging.withLock { $0 = false } }

        func transferRequest(for read: ReadRequest) -> TransferRequest {
            TransferRequest(
                source: .file(
                    FileSource(workers: workers) { [self] () throws(TransferError) in
                        opened.withLock { $0 += 1 }
                        try? eventuallyOnThread("the disk to be let go") { isHanging.withLock { !$0 } }
                        throw TransferError(.other, message: "the disk is back, the file is not")
                    }), range: read.range.map { $0.first...$0.last })
        }

        func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
            .failure(AttemptFailure(.protocolViolation, .local, detail: "nothing is ever opened"))
        }
    }

    private func read(_ driver: HangingDriver, on loop: TransferLoop) -> LocationRead {
        LocationRead(
            .init(
                driver: driver, connections: nil, queueKey: .maintenance(of: "image"), path: "image", expectedSize: 9,
                algorithms: [.md5], isFresh: false, progress: nil, pace: ReadRateLimiter(bytesPerSecond: nil),
                stallTimeout: .seconds(3600), queueTimeout: .milliseconds(1)),
            loop: loop)
    }

    @Test("A read that no worker starts fails as busy")
    func aReadThatNoWorkerStartsFailsAsBusy() async throws {
        let loop = TransferLoop()
        let driver = HangingDriver()
        defer {
            driver.letGo()
            loop.stop()
        }
        let first = read(driver, on: loop)
        let holding = Task { await first.run() }
        try await eventually("the file to be opened") { driver.hasOpened }
        guard case .failed(let failure) = await read(driver, on: loop).run() else {
            return #expect(Bool(false), "it came to an end without its file")
        }
        #expect(failure.reason == .busy, "Baton's own limit says nothing about the location")
        holding.cancel()
        _ = await holding.value
    }
}
