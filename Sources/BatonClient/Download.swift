import BackendKit
import CurlTransfer
import Glibc
package import ImageModel
import Integrity
import RelayEngine

/// Downloads an image: into a file, verified and resumed after a break, never a corrupt file under the final name; or into a stream, as
/// verified as what the server lets go.
package struct Download: Sendable {
    /// How far it is.
    package struct Progress: Sendable {
        /// Bytes that are there, those of earlier tries included.
        package let done: Int64
        /// Bytes in all.
        package let total: Int64

        /// So far of so much.
        package init(done: Int64, total: Int64) {
            self.done = done
            self.total = total
        }
    }

    /// What a person who waits is shown.
    package enum Event: Sendable {
        /// A file that is there is read, for its digest.
        case checking(Progress)
        /// Bytes come.
        case fetching(Progress)
        /// A try failed, and the next one begins.
        case retrying(attempt: Int, of: Int, reason: String)
    }

    private let endpoint: Endpoint
    private let output: DownloadOutput
    private let tries: Int
    private let isDirect: Bool
    private let bytesPerSecond: Int64?
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - output: where it goes; an existing file is replaced once the new one is verified.
    ///   - tries: how often to try without progress, at least 1.
    ///   - isDirect: whether to read from the image's locations as far as the server lets this client, and from the server what
    ///     is left. Not for streams: what locations send is verified at the end only.
    ///   - bytesPerSecond: the most to fetch in a second; nil for no limit.
    ///   - onEvent: called now and then, from any thread.
    package init(
        from endpoint: Endpoint, to output: DownloadOutput, tries: Int, isDirect: Bool = false, bytesPerSecond: Int64?,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        self.endpoint = endpoint
        self.output = output
        self.tries = max(1, tries)
        self.isDirect = isDirect && !output.isStream
        self.bytesPerSecond = bytesPerSecond
        self.onEvent = onEvent
    }

    /// Runs it.
    /// - Returns: what was downloaded, and from where; the output has the verified content.
    /// - Throws: `ClientError`.
    package func run(image: ImageID, query: [String]) async throws -> DownloadReport {
        var failures = 0
        // What comes again up to there is no progress: a server that can't verify the image would be asked for it for ever.
        var furthest: [Digest: Int64] = [:]
        var course = DownloadState(isDirect: isDirect)
        var opened: (any DownloadSink)?
        while true {
            do {
                let target = try await endpoint.target(image: image, query: query)
                if opened == nil, let report = try reportIfThere(target) { return report }
                let sink = try sink(opened, for: target)
                opened = sink
                course.opened(sink.size)
                let before = max(furthest[target.digest] ?? 0, sink.size)
                defer { furthest[target.digest] = max(before, sink.size) }
                do {
                    if course.isDirect, sink.size < target.size {
                        try await fetchDirectly(target, of: image, query, into: sink, &course)
                    }
                    if sink.offset < target.size || target.size == 0 { try await fetchRest(of: target, into: sink, &course) }
                    try sink.complete()
                    return DownloadReport(target: target, origins: course.origins, troubles: course.troubles)
                } catch let error as ClientError where error.isPassing && sink.size > before {
                    failures = 0  // it went forward: be patient again
                    throw error
                } catch let error as ClientError where error.kind == .corrupt && course.origins.hasDirect {
                    // Nobody has verified on the way what came from locations: now the server shall.
                    course.leaveDirect("what came from locations was not the image; it was dropped")
                    opened = nil
                }
            } catch let error as ClientError where error.isPassing {
                failures += 1
                guard failures < tries else { throw error }
                onEvent(.retrying(attempt: failures + 1, of: tries, reason: error.message))
                try await Task.sleep(for: error.retryAfter ?? .milliseconds(250 << min(failures, 5)))
            }
        }
    }

    /// What was opened in an earlier try, if it is for the same content.
    private func sink(_ opened: (any DownloadSink)?, for target: DownloadTarget) throws(ClientError) -> any DownloadSink {
        if let opened, opened.target.digest == target.digest, opened.target.size == target.size {
            if !target.isResumable, opened.offset > 0 { try opened.restart() }
            return opened
        }
        switch output {
        case .file(let path): return try PartialFile(for: path, of: target) { onEvent(.checking($0)) }
        case .device, .descriptor:
            guard (opened?.size ?? 0) == 0 else {
                throw ClientError(.corrupt, "The image became another one while it was written: discard what was written.")
            }
            return try StreamOutput(output, for: target)
        }
    }

    /// The report of a download that is not needed: the file is the image already.
    private func reportIfThere(_ target: DownloadTarget) throws(ClientError) -> DownloadReport? {
        guard case .file(let path) = output else { return nil }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int64(status.st_size) == target.size
        else { return nil }
        let digest = DigestStream(target.digest.algorithm)
        var done: Int64 = 0
        try DescriptorIO.readToEnd(descriptor, named: path) { bytes in
            digest.update(bytes)
            done += Int64(bytes.count)
            onEvent(.checking(Progress(done: done, total: target.size)))
        }
        guard done == target.size, digest.finish() == target.digest else { return nil }
        var origins = DownloadOrigins()
        origins.extend(to: done, from: .kept)
        return DownloadReport(target: target, origins: origins, troubles: [], isUnchanged: true)
    }

    /// Fetches what is missing. A proxy in between may answer with less than asked (RFC 9110 section 15.3.7): then the rest is asked for.
    private func fetchRest(
        of target: DownloadTarget, into sink: any DownloadSink, _ course: inout DownloadState
    ) async throws {
        var start: Int64
        repeat {
            start = sink.offset
            try await fetch(target, into: sink, &course)
        } while sink.offset > start && sink.offset < target.size
    }

    private func fetch(_ target: DownloadTarget, into sink: any DownloadSink, _ course: inout DownloadState) async throws {
        var request = endpoint.request(target.path)
        if sink.offset > 0 {
            request.range = sink.offset...(target.size - 1)
            request.headers.append(("If-Range", target.entityTag))
        }
        let fetch = FileFetch(target: target, sink: sink, endpoint: endpoint, bytesPerSecond: bytesPerSecond) {
            onEvent(.fetching($0))
        }
        defer { course.streamed(upTo: sink.size, isAgain: fetch.hasRestarted) }
        try await fetch.run(request)
    }

    /// Reads from the locations what they give; what they don't, is left to the server.
    private func fetchDirectly(
        _ target: DownloadTarget, of image: ImageID, _ query: [String], into sink: any DownloadSink,
        _ course: inout DownloadState
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
            let fetch = DirectFetch(target: target, sink: sink, loop: endpoint.loop, bytesPerSecond: bytesPerSecond) {
                onEvent(.fetching($0))
            }
            let summary = try await fetch.run(list.sources)
            try Task.checkCancellation()
            course.relayed(summary, upTo: sink.size)
            let isDenied = summary.failures.contains { $0.failure.reason == .denied }
            guard summary.outcome != .finished, isDenied else { return }
        }
    }
}
