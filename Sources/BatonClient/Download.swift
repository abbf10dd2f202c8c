internal import CurlTransfer
internal import Glibc
public import ImageModel

/// Downloads an image into a file: verified, resumed after a break, never a corrupt file under the final name.
public struct Download: Sendable {
    /// How far it is.
    public struct Progress: Sendable {
        /// Bytes that are there, those of earlier tries included.
        public let done: Int64
        /// Bytes in all.
        public let total: Int64

        /// So far of so much.
        public init(done: Int64, total: Int64) {
            self.done = done
            self.total = total
        }
    }

    private let endpoint: Endpoint
    private let output: String
    private let tries: Int
    private let bytesPerSecond: Int64?
    private let onProgress: @Sendable (Progress) -> Void

    /// - Parameters:
    ///   - output: the path of the final file; an existing file is replaced once the new one is proven.
    ///   - tries: how often to try without progress, at least 1.
    ///   - bytesPerSecond: the most to fetch in a second; nil for no limit.
    ///   - onProgress: called now and then, on the transfer loop's thread.
    public init(
        from endpoint: Endpoint, to output: String, tries: Int, bytesPerSecond: Int64?,
        onProgress: @escaping @Sendable (Progress) -> Void
    ) {
        self.endpoint = endpoint
        self.output = output
        self.tries = max(1, tries)
        self.bytesPerSecond = bytesPerSecond
        self.onProgress = onProgress
    }

    /// Runs it.
    /// - Returns: what was downloaded; the file has the proven content.
    /// - Throws: `ClientError`.
    public func run(image: ImageID, query: [String]) async throws -> DownloadTarget {
        var failures = 0
        while true {
            do {
                let target = try await endpoint.target(image: image, query: query)
                let file = try PartialFile(for: output, of: target)
                let before = file.size
                do {
                    if file.size < target.size || target.size == 0 { try await fetch(target, into: file) }
                    try file.complete(as: target)
                    return target
                } catch let error as ClientError where error.isPassing && file.size > before {
                    failures = 0  // it went forward: be patient again
                    throw error
                }
            } catch let error as ClientError where error.isPassing {
                failures += 1
                guard failures < tries else { throw error }
                try await Task.sleep(for: error.retryAfter ?? .milliseconds(250 << min(failures, 5)))
            }
        }
    }

    private func fetch(_ target: DownloadTarget, into file: PartialFile) async throws {
        var request = endpoint.request(target.path)
        if file.size > 0 {
            request.range = file.size...(target.size - 1)
            request.headers.append(("If-Range", target.entityTag))
        }
        let fetch = FileFetch(
            target: target, file: file, endpoint: endpoint, bytesPerSecond: bytesPerSecond, onProgress: onProgress)
        try await fetch.run(request)
    }
}
