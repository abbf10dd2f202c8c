import ArgumentParser
import BatonConfig
import ImageModel

/// The command `baton check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks a configuration without starting the server.",
        discussion: """
            It reads the configuration file and the files that it names, and checks that directories, catalog and port can be \
            used. An error ends it with the exit code 1. A setting that is valid but probably unintended is a warning.
            """)

    @OptionGroup var file: ConfigurationOption
    @Flag(help: "Also send a request to each backend and to Keystone.")
    var online = false
    @OptionGroup var output: OutputOption

    private struct Report: Encodable {
        let problems: [CommandFailure.Problem]
        let warnings: [CommandFailure.Problem]
        let backends: [OnlineCheck.Answer]?
    }

    func run() async throws {
        let read = try file.read()
        try read.configuration.auth.check()
        _ = try read.configuration.server.loadCertificate()
        let machine = MachineCheck(of: read, named: file.config)
        let warnings = read.warnings + machine.warnings
        if !output.json { for warning in warnings { Standard.error.line("warning: \(warning)") } }
        guard machine.problems.isEmpty else { throw CheckFailure(problems: machine.problems, warnings: warnings) }
        let answers = online ? await OnlineCheck(read.configuration, read.backends).run() : nil
        if !output.json, let answers {
            for answer in answers { Standard.output.line("\(answer.backend): \(answer.decision.rawValue), \(answer.detail)") }
        }
        let unusable = (answers ?? []).filter { $0.decision == .unusable }.map { answer in
            let key = answer.backend == "keystone" ? "auth.keystone.url" : "backends.\(answer.backend)"
            return ConfigurationProblem(file: file.config, line: read.lines[key], key: key, message: answer.detail)
        }
        guard unusable.isEmpty else { throw CheckFailure(problems: unusable, warnings: warnings) }
        if output.json {
            return output.printJSON(Report(problems: [], warnings: warnings.map { .init($0) }, backends: answers))
        }
        let backends = read.backends
        let names = backends.isEmpty ? "none" : backends.map { "\($0.id) (\($0.summary))" }.joined(separator: ", ")
        Standard.output.line(
            "\(file.config) is in order: listens at \(read.configuration.server.listen), backends: \(names).")
    }
}

/// The problems that `baton check` found on the machine, in addition to those of the file itself.
struct CheckFailure: Error, CustomStringConvertible {
    let problems: [ConfigurationProblem]
    let warnings: [ConfigurationProblem]

    var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension ConfiguredBackend {
    /// The driver and the connection limit, for example `http, at most 2 connections`.
    fileprivate var summary: String {
        connections.map { "\(driverName), at most \($0.limit) \($0.limit == 1 ? "connection" : "connections")" } ?? driverName
    }
}
