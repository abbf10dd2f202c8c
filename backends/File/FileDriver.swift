package import BackendKit
package import CurlTransfer
import ImageModel

/// Reads files below a root directory, through libcurl's `file://` on worker threads, one bounded range at a time.
package struct FileDriver: Driver {
    private let root: String
    private let workers: FileWorkers
    private let maximumRange: Int64

    /// Creates a driver for the directory `root`.
    /// - Parameters:
    ///   - workers: the threads that read.
    ///   - maximumRange: the most bytes of one read, and thus the most bytes that a cancelled read wastes; at least 1.
    package init(root: String, workers: FileWorkers, maximumRange: Int64) {
        self.root = root
        self.workers = workers
        self.maximumRange = maximumRange
    }

    package var capabilities: Capabilities {
        Capabilities(maximumRange: maximumRange)
    }

    /// A read on a worker, which also opens the file.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        let root = root
        let path = read.path
        return TransferRequest(
            source: .file(
                FileSource(workers: workers) { () throws(TransferError) in try OpenedFile.open(path, beneath: root) }),
            range: read.range.map { $0.first...$0.last }, isFresh: read.isFresh)
    }

    /// Checks the opened file against the requested range.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        guard let facts = head.file else {
            return .failure(AttemptFailure(.protocolViolation, .local, detail: "a file was read without its attributes"))
        }
        let first = read.range?.first ?? 0
        let last = min(read.range?.last ?? facts.size - 1, facts.size - 1)
        return .success(
            ObjectHead(
                first: first, count: max(0, last - first + 1), total: facts.size, validator: Self.validator(of: facts)))
    }

    /// The validator includes the ctime, because a program that rewrites the file can set the mtime back.
    private static func validator(of facts: FileFacts) -> Validator {
        Validator("inode \(facts.inode), written \(text(facts.modified)), changed \(text(facts.changed))")
    }

    private static func text(_ time: FileFacts.Time) -> String { "\(time.seconds) s \(time.nanoseconds) ns" }
}
