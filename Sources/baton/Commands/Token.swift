import Access
import ArgumentParser

/// The command `baton token`.
struct Token: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates a token and its line for the tokens file.",
        discussion: """
            The token is shown only once and is not stored. Its user sets BATON_TOKEN to it. The line contains the SHA-256 of \
            the token, from which the token cannot be recovered.
            """)

    @Argument(help: "The name of the token's user in histories and logs, without blanks.")
    var user: String
    @Option(help: "The project of the user; none if not given.")
    var project: String?
    @Option(help: "A role of the user: \(Caller.Role.allCases.map(\.rawValue).joined(separator: ", ")); may be repeated.")
    var role: [String] = ["reader"]
    @Option(help: "When the token expires, in UTC, e.g. 2027-01-31T12:00:00Z; never if not given.")
    var expires: String?
    @OptionGroup var output: OutputOption

    private struct Report: Encodable {
        let token: String
        let line: String
    }

    func run() throws {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<4).map { _ in
            let text = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let token = "baton_" + digits.joined()
        var words = ["\(TokenDigest(of: token))", user, project ?? "-", role.joined(separator: ",")]
        if let expires { words.append(expires) }
        let line = words.joined(separator: " ")
        guard words.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isWhitespace) && !$0.hasPrefix("#") }) else {
            throw ValidationError("User, project and role must not be empty, contain blanks or begin with #.")
        }
        do {
            _ = try TokenList(line, named: "the line")
        } catch {
            throw ValidationError("\(error.problems.map(\.message).joined(separator: "; ")).")
        }
        if output.json { return output.printJSON(Report(token: token, line: line)) }
        Standard.output.lines("The token, which is shown only now:\n\n  \(token)\n\nIts line for the tokens file:\n\n  \(line)")
    }
}
