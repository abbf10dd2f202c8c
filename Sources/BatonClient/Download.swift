internal import BackendKit
internal import CurlTransfer
internal import Glibc
public import ImageModel
internal import RelayEngine

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
    private let isDirect: Bool
    private let bytesPerSecond: Int64?
    private let onProgress: @Sendable (Progress) -> Void

    /// - Parameters:
    ///   - output: the path of the final file; an existing file is replaced once the new one is proven.
    ///   - tries: how often to try without progress, at least 1.
    ///   - isDirect: whether to read from the image's locations as far as the server lets this client, and from the server what
    ///     is left.
    ///   - bytesPerSecond: the most to fetch in a second; nil for no limit.
    ///   - onProgress: called now and then, on the transfer loop's thread.
    public init(
        from endpoint: Endpoint, to output: String, tries: Int, isDirect: Bool = false, bytesPerSecond: Int64?,
        onProgress: @escaping @Sendable (Progress) -> Void
    ) {
        self.endpoint = endpoint
        self.output = output
        self.tries = max(1, tries)
        self.isDirect = isDirect
        self.bytesPerSecond = bytesPerSecond
        self.onProgress = onProgress
    }

    /// Runs it.
    /// - Returns: what was downloaded, and from where; the file has the proven content.
    /// - Throws: `ClientError`.
    public func run(image: ImageID, query: [String]) async throws -> DownloadReport {
        var failures = 0
        // What comes anew up to there is no progress: a server that can't prove the image would be asked for it for ever.
        var furthest: [Digest: Int64] = [:]
        var course = DownloadCourse(isDirect: isDirect)
        while true {
            do {
                let target = try await endpoint.target(image: image, query: query)
                let file = try PartialFile(for: output, of: target)
                course.opened(file.size)
                let before = max(furthest[target.digest] ?? 0, file.size)
                defer { furthest[target.digest] = max(before, file.size) }
                do {
                    if course.isDirect, file.size < target.size {
                        try await fetchDirectly(target, of: image, query, into: file, &course)
                    }
                    if file.size < target.size || target.size == 0 { try await fetch(target, into: file, &course) }
                    try file.complete(as: target)
                    return DownloadReport(target: target, origins: course.origins, troubles: course.troubles)
                } catch let error as ClientError where error.isPassing && file.size > before {
                    failures = 0  // it went forward: be patient again
                    throw error
                } catch let error as ClientError where error.kind == .corrupt && course.origins.hasDirect {
                    // Nobody has proven on the way what came from locations: now the server shall.
                    course.leaveDirect("what came from locations was not the image; it was dropped")
                }
            } catch let error as ClientError where error.isPassing {
                failures += 1
                guard failures < tries else { throw error }
                try await Task.sleep(for: error.retryAfter ?? .milliseconds(250 << min(failures, 5)))
            }
        }
    }

    private func fetch(_ target: DownloadTarget, into file: PartialFile, _ course: inout DownloadCourse) async throws {
        var request = endpoint.request(target.path)
        if file.size > 0 {
            request.range = file.size...(target.size - 1)
            request.headers.append(("If-Range", target.entityTag))
        }
        let fetch = FileFetch(
            target: target, file: file, endpoint: endpoint, bytesPerSecond: bytesPerSecond, onProgress: onProgress)
        defer { course.streamed(upTo: file.size, isAnew: file.isRestarted) }
        try await fetch.run(request)
    }

    /// Reads from the locations what they give; what they don't, is left to the server.
    private func fetchDirectly(
        _ target: DownloadTarget, of image: ImageID, _ query: [String], into file: PartialFile, _ course: inout DownloadCourse
    ) async throws {
        // Twice: URLs end, and new ones are to be had.
        for _ in 0..<2 {
            let list: DirectList
            do {
                list = try await endpoint.directList(of: image, query: query)
            } catch let error as ClientError where !error.isPassing {
                return course.leaveDirect(error.message)
            }
            guard list.isAbout(target) else { return course.leaveDirect("the image is another by now") }
            guard !list.locations.isEmpty else {
                return course.leaveDirect("the server knows none that it may send clients to")
            }
            let fetch = DirectFetch(
                target: target, file: file, loop: endpoint.loop, bytesPerSecond: bytesPerSecond, onProgress: onProgress)
            let summary = try await fetch.run(list.sources)
            try Task.checkCancellation()
            course.relayed(summary, upTo: file.size)
            let isDenied = summary.failures.contains { $0.failure.reason == .denied }
            guard summary.outcome != .finished, isDenied else { return }
        }
    }
}
