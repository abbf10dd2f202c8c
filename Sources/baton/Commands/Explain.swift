import AdminContract
import ArgumentParser
import BatonClient
import ImageModel

/// The command `baton explain`.
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows which locations a download of an image would use now, in which order, and why.")

    @Argument(help: "The image's id, or its name if it is unique.")
    var image: String
    @Option(help: "The disk format of the representation; the image's own if not given.")
    var diskFormat: DiskFormat?
    @Option(help: "The container format of the representation; the image's own if not given.")
    var containerFormat: ContainerFormat?
    @Flag(help: "Explain the download of a range instead of the whole image.")
    var range = false
    @OptionGroup var server: EndpointOptions
    @OptionGroup var output: OutputOption

    func run() async throws {
        let endpoint = server.open()
        let id = try await endpoint.imageID(image)
        let purpose: ExplainDocument.Purpose = range ? .range : .whole
        var query: [(name: AdminQuery, value: String)] = [(.purpose, purpose.rawValue)]
        if let diskFormat { query.append((.diskFormat, diskFormat.rawValue)) }
        if let containerFormat { query.append((.containerFormat, containerFormat.rawValue)) }
        let answer = try await endpoint.send("GET", AdminPath.path(AdminPath.explain(id), query: query))
        if output.json { return output.printJSON(answer) }
        let record = try answer.decoded(as: ExplainDocument.self)
        Standard.output.line(
            "image \(id), \(record.format ?? "no format"), \(record.representation?.digest ?? "content not known yet")")
        if record.representation?.isOnIntegrityHold == true {
            Standard.output.line("on integrity hold: no ranges are served until each suspect is read alone")
        }
        if record.representation?.hasDigestConflict == true {
            Standard.output.line("digest conflict: two locations agree against the declared digest")
        }
        if record.ranked.isEmpty, record.rejected.isEmpty {
            let known = record.formats.isEmpty ? "none" : record.formats.joined(separator: ", ")
            return Standard.output.line("no location has this format; formats of the image: \(known)")
        }
        var table = Table("RANK", "LOCATION", "BACKEND", "WHY")
        for item in record.ranked { table.add("\(item.rank)", item.location) }
        for item in record.rejected { table.add("-", item.location) }
        Standard.output.lines(table.text)
    }
}

extension Table {
    /// Adds a location with the reason for its rank or rejection, and with its last failure.
    fileprivate mutating func add(_ rank: String, _ item: ExplainedLocation) {
        let failure = item.lastFailure.map { "; failed at \($0.time): \($0.reason), \($0.detail)" } ?? ""
        add(rank, item.location, item.backend, item.why + failure)
    }
}
