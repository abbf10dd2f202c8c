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

    private struct Record: Decodable {
        struct Representation: Decodable {
            let digest: String
            let isOnIntegrityHold: Bool
            let hasDigestConflict: Bool

            private enum CodingKeys: String, CodingKey {
                case digest
                case isOnIntegrityHold = "integrity_hold"
                case hasDigestConflict = "digest_conflict"
            }
        }
        struct Item: Decodable {
            let location: String
            let backend: String
            let why: String
            let lastFailure: LastFailure?

            enum CodingKeys: String, CodingKey {
                case location, backend, why
                case lastFailure = "last_failure"
            }

            /// The reason for the location's rank, and its last failure.
            var words: String {
                why + (lastFailure.map { "; failed at \($0.time): \($0.reason), \($0.detail)" } ?? "")
            }
        }
        struct LastFailure: Decodable {
            let time: String
            let reason: String
            let detail: String
        }
        let format: String?
        let formats: [String]
        let representation: Representation?
        let ranked: [Item]
        let rejected: [Item]
    }

    func run() async throws {
        let endpoint = server.open()
        let id = try await endpoint.imageID(image)
        var query = ["for=\(range ? "range" : "whole")"]
        if let diskFormat { query.append("disk_format=\(diskFormat.rawValue)") }
        if let containerFormat { query.append("container_format=\(containerFormat.rawValue)") }
        let answer = try await endpoint.send("GET", "/baton/v1/images/\(id)/explain?" + query.joined(separator: "&"))
        if output.json { return output.printJSON(answer) }
        let record = try answer.decoded(as: Record.self)
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
        for (index, item) in record.ranked.enumerated() { table.add("\(index + 1)", item.location, item.backend, item.words) }
        for item in record.rejected { table.add("-", item.location, item.backend, item.words) }
        Standard.output.lines(table.text)
    }
}
