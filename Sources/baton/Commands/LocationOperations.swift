import ArgumentParser
import BatonClient
import FoundationEssentials

/// The options that name a location and its server.
struct LocationTarget: ParsableArguments {
    @Argument(help: "The location's id, as `baton location list` shows it.")
    var location: String
    @OptionGroup var server: EndpointOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        guard UUID(uuidString: location) != nil else { throw ValidationError("\"\(location)\" is no location's id, a UUID.") }
    }
}

/// The options of commands that change a location's status.
struct LocationOperation: ParsableArguments {
    @OptionGroup var target: LocationTarget
    @Option(help: "Why, for the location's history.")
    var reason: String?

    /// Runs a server operation on the location and prints its new status.
    func run(_ operation: String, force: Bool = false) async throws {
        struct Body: Encodable {
            let reason: String?
            let force: Bool?
        }
        let body = try JSONEncoder().encode(Body(reason: reason, force: force ? true : nil))
        let answer = try await target.server.open().send(
            "POST", "/baton/v1/locations/\(target.location)/\(operation)", body: Array(body))
        if target.output.json { return target.output.printJSON(answer) }
        Standard.output.line("\(target.location)  \(try answer.decoded(as: LocationRecord.self).status)")
    }
}

extension LocationCommand {
    /// `baton location verify`.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has a location read in full, for its digests.",
            discussion: "An active location goes on serving meanwhile; one that was quarantined comes back if it matches.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run("verify") }
    }

    /// `baton location disable`.
    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a location out of service.",
            discussion: "Downloads that run leave it at the next byte, or finish from it where no other location can go on.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run("disable") }
    }

    /// `baton location enable`.
    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a disabled location be again what it was before.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run("enable") }
    }

    /// `baton location quarantine`.
    struct Quarantine: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a location out whose content is wrong.",
            discussion: "Downloads that run read not one byte more of it. It comes back when a full read matches.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run("quarantine") }
    }

    /// `baton location restore`.
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a location that is marked for deletion be again what it was before.")
        @OptionGroup var operation: LocationOperation
        func run() async throws { try await operation.run("restore") }
    }

    /// `baton location delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Marks a location for deletion; the backend's bytes stay.",
            discussion:
                "It is out of service at once and forgotten after maintenance.delete_delay; until then it can be restored.")
        @OptionGroup var operation: LocationOperation
        @Flag(help: "Also if it is the last active location of its image.")
        var force = false
        func run() async throws { try await operation.run("delete", force: force) }
    }

    /// `baton location history`.
    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what happened to a location: when, what, who, and why.")
        @OptionGroup var target: LocationTarget

        private struct Record: Decodable {
            struct Entry: Decodable {
                let time: String
                let event: String
                let from: String
                let to: String
                let actor: String
                let reason: String
            }
            let history: [Entry]
        }

        func run() async throws {
            let list = try await target.server.open().list("/baton/v1/locations/\(target.location)/history")
            if target.output.json { return try target.output.printJSON(list, listing: "history") }
            let entries = try list.decoded(as: Record.self).flatMap(\.history)
            var table = Table("TIME", "EVENT", "STATUS", "WHO", "WHY")
            for entry in entries {
                let status = entry.from == entry.to ? entry.to : "\(entry.from) → \(entry.to)"
                table.add(entry.time, entry.event, status, entry.actor, entry.reason)
            }
            Standard.output.lines(table.text)
        }
    }
}
