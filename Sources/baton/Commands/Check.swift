internal import ArgumentParser
internal import BatonConfig
internal import FoundationEssentials
internal import Identity
internal import ImageAPI

/// `baton check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what is wrong with a configuration file, without starting anything.")

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var output: OutputOption

    private struct Report: Encodable {
        struct Problem: Encodable {
            let file: String
            let line: Int?
            let key: String?
            let message: String
        }
        let problems: [Problem]
    }

    func run() async throws {
        do {
            let (configuration, backends) = try file.load(listen: nil)
            try configuration.auth.check()
            _ = try configuration.server.loadCertificate()
            if output.json { return output.printJSON(Report(problems: [])) }
            let names = backends.isEmpty ? "none" : backends.map { "\($0.id) (\($0.summary))" }.joined(separator: ", ")
            print("\(file.config) is in order: listens at \(configuration.server.listen), backends: \(names).")
        } catch let error as ConfigurationError where output.json {
            output.printJSON(
                Report(problems: error.problems.map { .init(file: $0.file, line: $0.line, key: $0.key, message: $0.message) }))
            throw ExitCode(1)
        } catch let error as ServerCertificateError where output.json {
            output.printJSON(
                Report(problems: [.init(file: file.config, line: nil, key: "server.certificate_file", message: "\(error)")]))
            throw ExitCode(1)
        } catch let error as TokenFileError where output.json {
            output.printJSON(
                Report(problems: error.problems.map { .init(file: error.file, line: $0.line, key: nil, message: $0.message) }))
            throw ExitCode(1)
        }
    }
}

extension ConfiguredBackend {
    /// `http, at most 2 connections`.
    fileprivate var summary: String {
        connections.map { "\(driverName), at most \($0.limit) \($0.limit == 1 ? "connection" : "connections")" } ?? driverName
    }
}
