internal import ArgumentParser
internal import BatonClient
internal import BatonConfig
internal import FoundationEssentials
internal import ImageModel

/// `baton get`.
struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Downloads an image: verified, resumed after a break, never a corrupt file under the final name.",
        discussion: "Until it is proven the download is kept beside the final file, under a name that ends in .part.")

    @Argument(help: "The image's id, or its name if no other has it.")
    var image: String
    @Option(name: .shortAndLong, help: "The file to write; the image's id if not given.")
    var output: String?
    @Option(help: "Which representation; the image's own if not given.")
    var diskFormat: DiskFormat?
    @Option(help: "Which representation; the image's own if not given.")
    var containerFormat: ContainerFormat?
    @Option(help: "The most to fetch in a second, e.g. 10MiB.")
    var limitRate: ByteCount?
    @Option(help: "How often to try without progress.")
    var tries = 5
    @Flag(help: "Read straight from the image's locations as far as the server lets you, and from the server what is left.")
    var direct = false
    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false
    @OptionGroup var server: EndpointOptions
    @OptionGroup var format: OutputOption

    func validate() throws {
        guard tries > 0 else { throw ValidationError("--tries must be at least 1.") }
        if let limitRate, limitRate.count == 0 { throw ValidationError("--limit-rate must be more than nothing.") }
    }

    func run() async throws {
        let endpoint = server.open()
        let id = try await endpoint.imageID(image)
        let file = output ?? id.description
        var query: [String] = []
        if let diskFormat { query.append("disk_format=\(diskFormat.rawValue)") }
        if let containerFormat { query.append("container_format=\(containerFormat.rawValue)") }
        let bar = quiet ? nil : ProgressBar()
        let download = Download(
            from: endpoint, to: file, tries: tries, isDirect: direct, bytesPerSecond: limitRate.map { Int64($0.count) }
        ) { bar?.show($0) }
        let report: DownloadReport
        do {
            report = try await download.run(image: id, query: query)
        } catch {
            bar?.end()
            throw error
        }
        bar?.end()
        let target = report.target
        if format.json {
            format.printJSON(GetReport(report, image: id, file: file))
        } else {
            print("\(file): \(ProgressLine.bytes(target.size)), \(target.digest) verified")
            if direct { printOrigins(of: report) }
        }
    }

    /// What came from where, and what went wrong with what was tried first.
    private func printOrigins(of report: DownloadReport) {
        var table = Table("FROM", "FIRST BYTE", "LAST BYTE")
        for part in report.origins.parts { table.add(part.source.text, "\(part.first)", "\(part.last)") }
        print(table.text)
        for trouble in report.troubles { print("direct: \(trouble)") }
    }
}
