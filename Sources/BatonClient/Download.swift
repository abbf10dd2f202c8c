import AdminContract
import BackendKit
import CurlTransfer
import Glibc
package import ImageModel
import Integrity
import RelayEngine

/// A download of an image into a file or a stream. A file is verified and resumed after an interruption, and its final name
/// never holds corrupt content. A stream is verified as far as the server verifies what it releases.
package struct Download: Sendable {
    /// The progress of a download.
    package struct Progress: Sendable {
        /// The number of bytes present, including those of earlier tries.
        package let done: Int64
        /// The size of the image in bytes.
        package let total: Int64

        package init(done: Int64, total: Int64) {
            self.done = done
            self.total = total
        }
    }

    /// A progress event for a person who waits.
    package enum Event: Sendable {
        /// An existing file is being read for its digest.
        case checking(Progress)
        /// Bytes are being received.
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

    /// Creates a download.
    /// - Parameters:
    ///   - output: the destination; an existing file is replaced once the new one is verified.
    ///   - tries: the number of tries without progress, at least 1.
    ///   - isDirect: whether to read from the image's locations where the server permits it, and the rest from the server. Not
    ///     for streams: bytes from locations are verified only at the end.
    ///   - bytesPerSecond: the rate limit; nil for none.
    ///   - onEvent: called from time to time, from any thread.
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

    /// Runs the download.
    /// - Returns: the content and its origins; the output holds the verified content.
    /// - Throws: `ClientError`.
    package func run(image: ImageID, query: [String]) async throws -> DownloadReport {
        var failures = 0
        // Bytes received again up to this offset are not progress. Otherwise a server that can't verify the image would be
        // asked for ever.
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
                    return DownloadReport(target: target, origins: course.origins, problems: course.problems)
                } catch let error as ClientError where error.isPassing && sink.size > before {
                    failures = 0  // there was progress: count tries from 0
                    throw error
                } catch let error as ClientError where error.kind == .corrupt && course.origins.hasDirect {
                    // Bytes from locations were not verified on the way: fetch the image from the server, which verifies.
                    course.leaveDirect("the bytes from the locations did not match the digest and were discarded")
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

    /// The sink of an earlier try, if it is for the same content.
    private func sink(_ opened: (any DownloadSink)?, for target: DownloadTarget) throws(ClientError) -> any DownloadSink {
        if let opened, opened.target.digest == target.digest, opened.target.size == target.size {
            if !target.isResumable, opened.offset > 0 { try opened.restart() }
            return opened
        }
        switch output {
        case .file(let path): return try PartialFile(for: path, of: target) { onEvent(.checking($0)) }
        case .device, .descriptor:
            guard (opened?.size ?? 0) == 0 else {
                throw ClientError(.corrupt, "The image's content changed during the download: discard the written bytes.")
            }
            return try StreamOutput(output, for: target)
        }
    }

    /// The report of a download that is not needed, since the file already has the image's content.
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
        return DownloadReport(target: target, origins: origins, problems: [], isUnchanged: true)
    }

    /// Fetches the missing bytes. If a proxy in between sends less than requested (RFC 9110 section 15.3.7), the rest is
    /// requested next.
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

    /// Reads from the locations. The remaining bytes are left to the server.
    private func fetchDirectly(
        _ target: DownloadTarget, of image: ImageID, _ query: [String], into sink: any DownloadSink,
        _ course: inout DownloadState
    ) async throws {
        // Twice, since URLs expire and new ones can be fetched.
        for _ in 0..<2 {
            let list: DirectDocument
            do {
                list = try await endpoint.directLocations(of: image, query: query)
            } catch let error as ClientError where !error.isPassing {
                return course.leaveDirect(error.message)
            }
            guard list.isAbout(target) else { return course.leaveDirect("the image's content has changed") }
            guard !list.locations.isEmpty else {
                return course.leaveDirect("the server has no location that clients may read directly")
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

/// The progress of a download over all its tries.
struct DownloadState: Sendable {
    /// Whether locations are still read directly.
    private(set) var isDirect: Bool
    private(set) var origins = DownloadOrigins()
    private(set) var problems: [String] = []

    init(isDirect: Bool) { self.isDirect = isDirect }

    /// Records that the partial file was opened with this many bytes.
    mutating func opened(_ size: Int64) {
        origins.cut(to: size)
        origins.extend(to: size, from: .kept)
    }

    /// Records bytes streamed by the server.
    /// - Parameter isAgain: whether the existing bytes were dropped first.
    mutating func streamed(upTo size: Int64, isAgain: Bool) {
        if isAgain { origins.cut(to: 0) }
        origins.extend(to: size, from: .stream)
    }

    /// Records bytes that a relay read from locations. The last bytes it received may not have reached the file.
    mutating func relayed(_ summary: RelaySummary, upTo size: Int64) {
        for part in summary.parts {
            origins.extend(to: min(part.last + 1, size), from: .direct(backend: part.backend.name))
        }
        for failure in summary.failures { note("\(failure.backend) \(failure.failure)") }
    }

    /// Switches to the server for all remaining bytes.
    mutating func leaveDirect(_ problem: String) {
        isDirect = false
        note(problem)
    }

    /// Records a problem once, however often it occurs.
    private mutating func note(_ problem: String) {
        if !problems.contains(problem) { problems.append(problem) }
    }
}
