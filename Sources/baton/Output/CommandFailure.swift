import Access
import ArgumentParser
import BatonClient
import BatonConfig
import FoundationEssentials
import HTTPServing

/// A failed command: a sentence on standard error for people, an object on standard output for programs, and an exit code.
struct CommandFailure {
    /// A problem of one line of a file.
    struct Problem: Encodable {
        let file: String
        let line: Int?
        let key: String?
        let message: String

        init(file: String, line: Int?, key: String?, message: String) {
            (self.file, self.line, self.key, self.message) = (file, line, key, message)
        }

        init(_ problem: ConfigurationProblem) {
            self.init(file: problem.file, line: problem.line, key: problem.key, message: problem.message)
        }
    }

    private struct Report: Encodable {
        struct Inner: Encodable {
            let kind: String
            let code: Int32
            let message: String
            let status: Int?
        }
        let error: Inner
        let problems: [Problem]?
        let warnings: [Problem]?
    }

    let code: Int32
    private let kind: String
    private let message: String
    private var status: Int?
    private var problems: [Problem]?
    private var warnings: [Problem]?
    /// The text for people, if it differs from the message. Parts of other origin in its lines are escaped by `plain`.
    private var text: String?

    private static func lines(_ sentences: [String]) -> String {
        "baton: " + sentences.map(\.plain).joined(separator: "\n")
    }

    init(_ error: any Error) {
        switch error {
        case let error as ClientError: self.init(error)
        case let error as ConfigurationError:
            self.init("configuration", "\(error)")
            problems = error.problems.map { .init($0) }
            text = Self.lines(error.problems.map(\.description))
        case let error as CheckFailure:
            self.init("configuration", "\(error)")
            problems = error.problems.map { .init($0) }
            text = Self.lines(error.problems.map(\.description))
            warnings = error.warnings.map { .init($0) }
        case let error as TokenFileError:
            self.init("configuration", "\(error)")
            problems = error.problems.map { .init(file: error.file, line: $0.line, key: nil, message: $0.message) }
            text = Self.lines(error.sentences)
        case let error as ServerCertificateError: self.init("configuration", "\(error)")
        case is CancellationError: self.init("interrupted", "The command was interrupted.")
        // Foundation's descriptions name error domains and keys, which do not help users.
        case let error as CocoaError: self.init("file", error.sentence)
        default: self.init(other: error)
        }
    }

    private init(_ kind: String, _ message: String, code: Int32 = 1) {
        (self.kind, self.message, self.code) = (kind, message, code)
    }

    private init(_ error: ClientError) {
        switch error.kind {
        case .corrupt: self.init("corrupt", error.message, code: 2)
        case .unreachable: self.init("unreachable", error.message, code: 3)
        case .untrusted: self.init("untrusted", error.message, code: 3)
        case .refused(let status):
            self.init("refused", error.message)
            self.status = status
        case .file: self.init("file", error.message)
        case .invalidInput: self.init("invalid-input", error.message)
        case .declined: self.init("declined", error.message)
        case .readerGone: self.init("reader_gone", error.message)
        }
    }

    private init(other error: any Error) {
        let full = Baton.fullMessage(for: error)
        let parsed = Baton.exitCode(for: error).rawValue
        guard error is ValidationError || full.contains("Usage:") || parsed != 1 else {
            self.init("failure", "\(error)")
            return
        }
        if let typo = CommandTypo(in: Array(CommandLine.arguments.dropFirst())) {
            self.init("usage", typo.sentence, code: ExitCode.validationFailure.rawValue)
            text = "Error: \(typo.sentence.plain)\n\(typo.usage)"
        } else {
            self.init("usage", Baton.message(for: error), code: parsed)
            text = full
        }
    }

    /// Writes the failure to standard error, and with `--json` the error object to the stream for results.
    func printError() {
        if kind == "reader_gone" { Standard.endWithoutReader() }
        // The message may come from a server or contain a name, which with several lines could imitate another message.
        if let text { Standard.error.lines(text) } else { Standard.error.line("baton: \(message)") }
        guard CommandLine.arguments.prefix(while: { $0 != "--" }).contains("--json") else { return }
        OutputOption.printJSON(
            Report(
                error: .init(kind: kind, code: code, message: message, status: status),
                problems: problems, warnings: warnings),
            to: Standard.forResults)
    }
}

extension CocoaError {
    /// One sentence for users, without error domains and keys.
    var sentence: String {
        let prefix = filePath.map { "\($0): " } ?? ""
        let reason: String =
            switch code {
            case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file"
            case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
            case .fileWriteOutOfSpace: "the disk is full"
            default: "it can't be read or written (Foundation's code \(code.rawValue))"
            }
        return prefix + reason + "."
    }
}

/// A word of the command line that stands where a command is expected and is not one.
struct CommandTypo {
    private let word: String
    private let path: [String]
    private let command: any ParsableCommand.Type

    /// Finds the first word that should be a command and is not.
    /// - Returns: nil if every such word is a command.
    init?(in arguments: [String], of root: any ParsableCommand.Type = Baton.self) {
        var command = root
        var path = [Self.name(of: root)]
        for word in arguments {
            let choices = command.configuration.subcommands
            guard !choices.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = choices.first(where: { Self.name(of: $0) == word }) else {
                (self.word, self.path, self.command) = (word, path, command)
                return
            }
            command = next
            path.append(word)
        }
        return nil
    }

    /// The problem and a suggestion.
    var sentence: String {
        let names = command.configuration.subcommands.map(Self.name)
        let nearest = names.map { (name: $0, distance: $0.distance(to: word)) }.min { $0.distance < $1.distance }
        let guess = nearest.flatMap { $0.distance <= max(2, word.count / 3) ? "did you mean \($0.name)? " : nil } ?? ""
        let known = names.joined(separator: ", ")
        return "\(path.joined(separator: " ")) has no command \"\(word)\"; \(guess)the commands are \(known)."
    }

    /// The usage of the command before the word.
    var usage: String { "Usage: \(path.joined(separator: " ")) <subcommand>. See --help for more." }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? String(describing: command).lowercased()
    }
}
