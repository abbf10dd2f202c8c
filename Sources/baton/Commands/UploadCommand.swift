import ArgumentParser
import BatonClient
import FoundationEssentials

/// `baton upload …`.
struct UploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Lists the files that uploads wrote.", subcommands: [List.self])

    /// `baton upload list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the files that uploads wrote.",
            discussion: """
                A file that no image has any more is an orphan. The server deletes it at the time in the column DELETED AT; one of the \
                state unknown it has no record of, and leaves to you.
                """)

        @Flag(help: "Only those that no image has any more.")
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
