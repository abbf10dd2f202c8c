import ArgumentParser
import BatonClient
import Glibc
import ImageModel

/// The command `baton get`.
struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Downloads and verifies an image, and resumes an interrupted download.",
        discussion: """
            Until the image is verified, the download is a file beside the final one whose name ends in .part. A file that \
            already has the digest of the image is not fetched again. Standard output, FIFOs and devices are written in place, \
            with bytes that the server has verified as far as it can. Only the exit code 0 means that all bytes are those of \
            the image.
            """)

    @Argument(help: "The image's id, or its name if it is unique.")
    var image: String
    @Option(
        name: .shortAndLong,
        help:
            "The file to write, a directory for a file with the image's name, or - for standard output; the image's id if not given."
    )
    var output: String?
    @Option(help: "The disk format of the representation; the image's own if not given.")
    var diskFormat: DiskFormat?
    @Option(help: "The container format of the representation; the image's own if not given.")
    var containerFormat: ContainerFormat?
    @Option(help: "The maximum rate in bytes per second, e.g. 500K, 10M or 1.5GiB.", transform: ByteAmount.rate)
    var limitRate: ByteAmount?
    @Option(help: "The maximum number of attempts in a row without progress.")
    var tries = 5
    @Flag(
        help: "Read directly from the image's locations where the server permits it, and the remaining bytes from the server.")
    var direct = false
    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false
    @OptionGroup var server: EndpointOptions
    @OptionGroup var format: OutputOption

    func validate() throws {
        guard output != "" else {
            throw ValidationError("--output is empty: give a file, a directory, or - for standard output.")
        }
        guard tries > 0 else { throw ValidationError("--tries must be at least 1.") }
        if let limitRate, limitRate.count == 0 { throw ValidationError("--limit-rate must be more than 0.") }
    }

    func run() async throws {
        let endpoint = server.open()
        let id = try await endpoint.imageID(image)
        let target = try await target(of: id, at: endpoint)
        guard !direct || !target.isStream else {
            throw ValidationError(
                "--direct needs a file: bytes from locations are verified at the end, and \(output ?? "") can't be corrected."
            )
        }
        var query: [String] = []
        if let diskFormat { query.append("disk_format=\(diskFormat.rawValue)") }
        if let containerFormat { query.append("container_format=\(containerFormat.rawValue)") }
        // Baton's own text must not be mixed into the image's bytes.
        let isErrorTaken = target.isSameFile(as: STDERR_FILENO)
        if target.isSameFile(as: STDOUT_FILENO) { Standard.reserveOutput() }
        let display = quiet || isErrorTaken ? nil : ProgressDisplay()
        let download = Download(
            from: endpoint, to: target, tries: tries, isDirect: direct, bytesPerSecond: limitRate?.count
        ) { display?.show($0) }
        let report: DownloadReport
        do {
            report = try await download.run(image: id, query: query)
        } catch {
            display?.end()
            throw error
        }
        display?.end()
        guard !isErrorTaken || Standard.forResults == .output else { return }
        printResult(report, image: id, target)
    }

    /// The destination of the image. The image's name is requested only if it becomes the file's name.
    private func target(of id: ImageID, at endpoint: Endpoint) async throws -> DownloadOutput {
        guard let output else { return try DownloadOutput(id.description, named: "") }
        guard output != "-" || isatty(STDOUT_FILENO) != 1 else {
            throw ValidationError("Standard output is a terminal: redirect it, or give a file with --output.")
        }
        guard DownloadOutput.isDirectory(output) else { return try DownloadOutput(output, named: "") }
        let record = try await endpoint.image(id)
        return try DownloadOutput(output, named: DownloadOutput.fileName(of: record.name, id: id))
    }

    private func printResult(_ report: DownloadReport, image: ImageID, _ target: DownloadOutput) {
        let stream = Standard.forResults
        let file = target.path ?? output ?? ""
        if format.json { return format.printJSON(GetReport(report, image: image, file: file), to: stream) }
        let size = ProgressLine.bytes(report.target.size)
        let end = report.isUnchanged ? "verified, already present" : "verified"
        stream.line("\(file): \(size), \(report.target.digest) \(end)")
        if direct { printOrigins(of: report) }
    }

    /// Prints where each range of bytes came from, and the failures of direct locations.
    private func printOrigins(of report: DownloadReport) {
        var table = Table("FROM", "FIRST BYTE", "LAST BYTE")
        for part in report.origins.parts { table.add(part.source.text, "\(part.first)", "\(part.last)") }
        Standard.output.lines(table.text)
        for problem in report.problems { Standard.output.line("direct: \(problem)") }
    }
}

/// The output of `baton get --json`.
struct GetReport: Encodable {
    /// A range of bytes with one origin; `first` and `last` are offsets from 0 and both belong to it.
    struct Part: Encodable {
        let from: String
        let first: Int64
        let last: Int64
    }

    let image: String
    let file: String
    let size: Int64
    let digest: String
    let unchanged: Bool
    let parts: [Part]
    let troubles: [String]

    init(_ report: DownloadReport, image: ImageID, file: String) {
        self.image = image.description
        self.file = file
        size = report.target.size
        digest = report.target.digest.description
        unchanged = report.isUnchanged
        parts = report.origins.parts.map { Part(from: $0.source.text, first: $0.first, last: $0.last) }
        troubles = report.problems
    }
}

extension DownloadOrigins.Source {
    /// The name of the source in output.
    var text: String {
        switch self {
        case .kept: "kept from before"
        case .stream: "the server's stream"
        case .direct(let backend): backend
        }
    }
}
