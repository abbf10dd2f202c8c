import ArgumentParser
import BatonClient
import FoundationEssentials

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
            let uploads = try await server.open().uploads(onlyOrphans: orphans)
            if output.json { return output.printJSON(["uploads": uploads]) }
            var table = Table("IMAGE", "STATE", "SIZE", "OWNER", "CREATED", "DELETED AT", "BACKEND", "PATH")
            for upload in uploads {
                table.add(
                    upload.image, upload.state + (upload.isOrphan && upload.state != "unknown" ? " (orphan)" : ""),
                    ProgressLine.bytes(upload.size), upload.owner ?? "-", upload.createdAt ?? "-", upload.expiresAt ?? "-",
                    upload.backend, upload.path)
            }
            Standard.output.lines(table.text)
        }
    }
}
