import AdminContract
import ArgumentParser
import BatonClient
import FoundationEssentials
import ImageModel

/// The command `baton location`.
struct LocationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "location", abstract: "Adds and lists the locations of an image, and changes their status.",
        subcommands: [
            Add.self, List.self, Verify.self, Disable.self, Enable.self, Quarantine.self, Delete.self, Restore.self,
            History.self,
        ])

    static func table(of locations: [LocationDocument]) -> String {
        var table = Table("LOCATION", "STATUS", "BACKEND", "FORMAT", "TIER", "WEIGHT", "URL")
        for location in locations {
            table.add(
                location.id,
                location.status + (location.isSuspect ? " (suspect)" : "") + (location.cause.map { " (\($0))" } ?? ""),
                location.backend,
                "\(location.diskFormat)/\(location.containerFormat)", "\(location.tier)", "\(location.weight)", location.url)
        }
        return table.text
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a location to an image.",
            discussion: """
                A location with size and digests can serve at once. Give them as options, or use --file to compute them from a \
                copy of the image. Without them, the server first reads the location in full.
                """)

        @Argument(help: "The image's id, or its name if it is unique.")
        var image: String
        @Argument(help: "The location's URL, which must lie in one of the server's backends.")
        var url: String
        @Option(help: "A copy of the image to compute size and digests from.")
        var file: String?
        @Option(help: "The size in bytes, e.g. 4096 or 64MiB.", transform: ByteAmount.size)
        var size: ByteAmount?
        @Option(help: "The SHA-256 in hexadecimal digits.")
        var sha256: String?
        @Option(help: "The SHA-512 in hexadecimal digits.")
        var sha512: String?
        @Option(help: "The SHA-1 in hexadecimal digits.")
        var sha1: String?
        @Option(help: "The MD5 in hexadecimal digits.")
        var md5: String?
        @Option(help: "The disk format; the image's own if not given.")
        var diskFormat: String?
        @Option(help: "The container format; the image's own if not given.")
        var containerFormat: String?
        @Option(help: "Locations of a lower tier are used first.")
        var tier: Int?
        @Option(help: "With the strategy weighted, locations of a higher weight are used first within their tier.")
        var weight: Int?
        @Option(help: "Metadata, as key=value; may be repeated.")
        var metadata: [KeyValue] = []
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            let endpoint = server.open()
            let id = try await endpoint.imageID(image)
            var digests: [String: String] = [:]
            var size = size?.count
            if let file {
                let display = output.json ? nil : ProgressDisplay()
                defer { display?.end() }
                let copy = try LocalCopy(path: file) { display?.show(.checking($0)) }
                size = size ?? copy.size
                for digest in copy.digests.all { digests[digest.algorithm.rawValue] = digest.hex }
            }
            for (name, value) in [("sha256", sha256), ("sha512", sha512), ("sha1", sha1), ("md5", md5)] {
                if let value { digests[name] = value }
            }
            let body = LocationRegistration(
                url: url, diskFormat: diskFormat, containerFormat: containerFormat, size: size, digests: digests,
                weight: weight, tier: tier, metadata: Dictionary(metadata.map { ($0.key, $0.value) }) { _, last in last })
            let answer = try await endpoint.send("POST", AdminPath.locations(of: id), body: Array(try body.written()))
            if output.json { return output.printJSON(answer) }
            let record = try answer.decoded(as: LocationDocument.self)
            Standard.output.line("\(record.id)  \(record.status)")
            if let problem = record.problem {
                Standard.error.line("The location does not serve yet: \(problem). The server probes it again at intervals.")
            } else if record.status != "active" {
                Standard.error.line("The location serves once it has been read in full.")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the locations of an image.")

        @Argument(help: "The image's id, or its name if it is unique.")
        var image: String
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            let endpoint = server.open()
            let list = try await endpoint.locations(of: try await endpoint.imageID(image))
            if output.json { return try output.printJSON(list) }
            Standard.output.lines(LocationCommand.table(of: list.items))
        }
    }
}
