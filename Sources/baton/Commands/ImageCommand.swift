import AdminContract
import ArgumentParser
import BatonClient
import FoundationEssentials
import ImageModel

/// The command `baton image`.
struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Adds, lists, shows and deletes images.",
        subcommands: [Add.self, List.self, Show.self, Delete.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Adds an image, and prints its id.")

        @Argument(help: "The name of the image.")
        var name: String
        @Option(help: "The id of the image, a UUID; random if not given.")
        var id: String?
        @Option(
            help:
                "The disk format of a download that names no format: \(DiskFormat.allCases.map(\.rawValue).joined(separator: ", "))."
        )
        var diskFormat: String?
        @Option(
            help:
                "The container format of a download that names no format: \(ContainerFormat.allCases.map(\.rawValue).joined(separator: ", "))."
        )
        var containerFormat: String?
        @Option(help: "The visibility: public, community, shared or private.")
        var visibility: String?
        @Option(help: "A further property, as key=value; may be repeated.")
        var property: [KeyValue] = []
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            var body = Dictionary(property.map { ($0.key, $0.value) }) { _, last in last }
            body["name"] = name
            body["id"] = id
            body["disk_format"] = diskFormat
            body["container_format"] = containerFormat
            body["visibility"] = visibility
            let answer = try await server.open().send("POST", "/v2/images", body: Array(try JSONEncoder().encode(body)))
            if output.json { return output.printJSON(answer) }
            Standard.output.line(try answer.decoded(as: ServerImage.self).id)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists all images.")

        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            let images = try await server.open().images()
            if output.json { return output.printJSON(["images": images]) }
            var table = Table("ID", "NAME", "STATUS", "SIZE", "FORMAT")
            for image in images {
                table.add(
                    image.id, image.name ?? "-", image.status, image.size.map(ProgressLine.bytes) ?? "-",
                    "\(image.diskFormat ?? "-")/\(image.containerFormat ?? "-")")
            }
            Standard.output.lines(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one image and its locations.")

        @Argument(help: "The image's id, or its name if it is unique.")
        var image: String
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            let endpoint = server.open()
            let id = try await endpoint.imageID(image)
            let answer = try await endpoint.send("GET", "/v2/images/\(id)")
            if output.json { return output.printJSON(answer) }
            let record = try answer.decoded(as: ServerImage.self)
            var table = Table("id", record.id)
            table.add("name", record.name ?? "-")
            table.add("status", record.status)
            table.add("visibility", record.visibility)
            table.add("format", "\(record.diskFormat ?? "-")/\(record.containerFormat ?? "-")")
            table.add("size", record.size.map { "\($0) (\(ProgressLine.bytes($0)))" } ?? "-")
            if let algorithm = record.digestAlgorithm, let digest = record.digest { table.add(algorithm, digest) }
            if let checksum = record.checksum { table.add("md5", checksum) }
            table.add("created", record.createdAt)
            Standard.output.lines(table.text)
            let locations: [LocationDocument]
            do {
                locations = try await endpoint.locations(of: id).items
            } catch let error as ClientError where error.kind == .refused(status: 403) {
                return  // locations are shown to admins only
            }
            if !locations.isEmpty { Standard.output.lines("\n" + LocationCommand.table(of: locations)) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Deletes an image, the records of its locations, and its uploaded file; other objects stay at their backends.")

        @Argument(help: "The image's id, or its name if it is unique.")
        var image: String
        @Flag(name: .shortAndLong, help: "Do not ask for confirmation; required without a terminal.")
        var yes = false
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            guard yes || Question.canBeAsked else {
                throw ValidationError("Deleting an image can't be undone: without a terminal, confirm it with --yes.")
            }
            let endpoint = server.open()
            let id = try await endpoint.imageID(image)
            if !yes {
                let name = try await endpoint.image(id).name.map { "\($0) (\(id))" } ?? "\(id)"
                guard Question.confirms("Delete the image \(name) and the records of its locations?") else {
                    throw ClientError(.declined, "Nothing was deleted.")
                }
            }
            _ = try await endpoint.send("DELETE", "/v2/images/\(id)")
            if output.json { output.printJSON(["deleted": id.description]) } else { Standard.output.line("deleted \(id)") }
        }
    }
}

/// A `key=value` argument.
struct KeyValue: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
        key = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
