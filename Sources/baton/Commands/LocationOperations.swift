import AdminContract
import ArgumentParser
import BatonClient
import FoundationEssentials
import ImageModel

/// The options that name a location and its server.
struct LocationTarget: ParsableArguments {
    @Argument(help: "The location's id, as `baton location list` shows it.")
    var location: String
    @OptionGroup var server: EndpointOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        guard UUID(uuidString: location) != nil else {
            throw ValidationError("\"\(location)\" is not the id of a location, which is a UUID.")
        }
    }
}

/// The options of commands that change a location's status.
struct LocationOperation: ParsableArguments {
    @OptionGroup var target: LocationTarget
    @Option(help: "The reason, for the location's history.")
    var reason: String?

    /// Requests an operation on the location and prints its new status.
    func run(_ operation: OperationName, force: Bool = false) async throws {
        let body = OperationRequest(reason: reason, force: force ? true : nil)
        let answer = try await target.server.open().send(
            "POST", AdminPath.operation(operation, on: target.location), body: Array(try body.written()))
        if target.output.json { return target.output.printJSON(answer) }
        Standard.output.line("\(target.location)  \(try answer.decoded(as: LocationDocument.self).status)")
    }
}

extension LocationCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a location in full to verify its digests.",
            discussion:
                "An active location continues to serve meanwhile. A quarantined location serves again if its digests match.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run(.verify) }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a location out of service.",
            discussion: """
                Running downloads continue at another location from the next byte. Those without another location finish from \
                it.
                """)
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run(.disable) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Returns a disabled location to its previous status.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run(.enable) }
    }

    struct Quarantine: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a location with wrong content out of service.",
            discussion:
                "Running downloads stop reading from it at once. It serves again after a full read whose digests match.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run(.quarantine) }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Returns a location that is marked for deletion to its previous status.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run(.restore) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Marks a location for deletion; the object at the backend stays.",
            discussion:
                "It is out of service at once. It is deleted after maintenance.delete_delay; until then it can be restored.")
        @OptionGroup var operation: LocationOperation
        @Flag(help: "Delete it even if it is the last active location of its image.")
        var force = false
        func run() async throws { try await operation.run(.delete, force: force) }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the history of a location: each change with its time, actor and reason.")
        @OptionGroup var target: LocationTarget

        func run() async throws {
            let list: PagedList<HistoryDocument> = try await target.server.open().list(AdminPath.history(of: target.location))
            if target.output.json { return try target.output.printJSON(list) }
            var table = Table("TIME", "EVENT", "STATUS", "WHO", "WHY")
            for entry in list.items {
                let status = entry.from == entry.to ? entry.to : "\(entry.from) → \(entry.to)"
                table.add(entry.time.description, entry.event, status, entry.actor, entry.reason)
            }
            Standard.output.lines(table.text)
        }
    }
}
