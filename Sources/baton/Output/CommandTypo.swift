import ArgumentParser
import BatonConfig

/// A word of the command line in the place of a command that is not a command.
struct CommandTypo {
    private let word: String
    private let path: [String]
    private let command: any ParsableCommand.Type

    /// Follows the commands that the words name.
    /// - Returns: nil if all of them exist.
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
        return "\(path.joined(separator: " ")) has no command \"\(word)\"; \(guess)there are \(known)."
    }

    /// The usage of the command that the word was given to.
    var usage: String { "Usage: \(path.joined(separator: " ")) <subcommand>; --help says more." }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? String(describing: command).lowercased()
    }
}
