import AdminContract
import ArgumentParser
import BatonClient
import FoundationEssentials
import ImageModel

/// The command `baton upload`.
struct UploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Lists uploaded files.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists uploaded files.",
            discussion: """
                An orphan is a file that belongs to no image any more. The server deletes it at the time in the column DELETED \
                AT. A file in the state unknown is not in the server's records, and the server does not delete it.
                """)

        @Flag(help: "List only orphans.")
        var orphans = false
        @OptionGroup var server: EndpointOptions
        @OptionGroup var output: OutputOption

        func run() async throws {
            let list = try await server.open().uploads(onlyOrphans: orphans)
            if output.json { return output.printJSON(list.document.withoutNulls) }
            var table = Table("IMAGE", "STATE", "SIZE", "OWNER", "CREATED", "DELETED AT", "BACKEND", "PATH")
            for upload in list.items {
                table.add(
                    upload.image,
                    upload.state + (upload.isOrphan && upload.state != UploadDocument.unknownState ? " (orphan)" : ""),
                    ProgressLine.bytes(upload.size), upload.owner ?? "-", upload.createdAt?.description ?? "-",
                    upload.expiresAt?.description ?? "-",
                    upload.backend, upload.path)
            }
            Standard.output.lines(table.text)
        }
    }
}

extension JSONValue {
    /// The value without members that are null, at any depth.
    fileprivate var withoutNulls: JSONValue {
        switch self {
        case .array(let items): .array(items.map(\.withoutNulls))
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues(\.withoutNulls))
        default: self
        }
    }
}
