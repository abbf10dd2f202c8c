import FoundationEssentials
import ImageModel
import Integrity

/// The tokens of a tokens file, with their callers.
///
/// A line is `sha256:DIGEST USER PROJECT ROLES [EXPIRES]`, separated by blanks; `-` stands for no project and for no role;
/// roles are separated by commas. Empty lines are skipped, and so is the text after a `#` at the beginning of a word.
package struct TokenList: Sendable {
    struct Entry: Sendable {
        let digest: TokenDigest
        let caller: Caller
        let expires: Date?
    }

    let entries: [Entry]

    /// Parses a tokens file.
    /// - Parameter file: the file's name in error messages.
    package init(_ text: String, named file: String) throws(TokenFileError) {
        var entries: [Entry] = []
        var problems: [TokenFileError.Problem] = []
        var lines: [TokenDigest: Int] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = Self.words(of: line)
            guard !words.isEmpty else { continue }
            switch Self.entry(words) {
            case .failure(let problem):
                problems.append(.init(line: index + 1, message: problem.message))
            case .success(let entry):
                if let first = lines[entry.digest] {
                    problems.append(.init(line: index + 1, message: "this token is already in line \(first); remove one"))
                }
                lines[entry.digest] = index + 1
                entries.append(entry)
            }
        }
        if entries.isEmpty, problems.isEmpty {
            problems = [.init(line: nil, message: "it has no tokens; `baton token` creates one and prints its line")]
        }
        guard problems.isEmpty else { throw TokenFileError(file: file, problems: problems) }
        self.entries = entries
    }

    /// The caller to whom a token belongs. Every entry is compared, in constant time, so that the duration reveals nothing.
    func caller(of token: String, at now: Date) throws(AuthenticationRefusal) -> Caller {
        let digest = TokenDigest(of: token)
        var found: Entry?
        for entry in entries where entry.digest.matches(digest) { found = entry }
        guard let found else { throw .unknown }
        if let expires = found.expires, expires <= now { throw .expired }
        return found.caller
    }

    private static func words(of line: Substring) -> ArraySlice<Substring> {
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.prefix { !$0.hasPrefix("#") }
    }

    private struct LineProblem: Error {
        let message: String
    }

    private static func entry(_ words: ArraySlice<Substring>) -> Result<Entry, LineProblem> {
        guard (4...5).contains(words.count) else {
            return .failure(
                LineProblem(message: "a line must be sha256:DIGEST USER PROJECT ROLES [EXPIRES]; write - for none"))
        }
        guard let digest = TokenDigest(words[0]) else {
            return .failure(
                LineProblem(message: "it must begin with sha256: and the 64 hexadecimal digits of the token's SHA-256"))
        }
        var roles: Set<Caller.Role> = []
        for name in words[3].split(separator: ",") where name != "-" {
            guard let role = Caller.Role(rawValue: String(name)) else {
                let known = Caller.Role.allCases.map(\.rawValue).joined(separator: ", ")
                return .failure(LineProblem(message: "\"\(name.excerpt(32))\" is not a role; the roles are \(known)"))
            }
            roles.insert(role)
        }
        var expires: Date?
        if words.count == 5, words[4] != "-" {
            guard let time = UTCTime.parse(words[4]) else {
                return .failure(LineProblem(message: "EXPIRES must be a time in UTC, such as 2027-01-31T12:00:00Z"))
            }
            expires = time
        }
        let project = words[2] == "-" ? nil : String(words[2])
        return .success(
            Entry(digest: digest, caller: Caller(user: String(words[1]), project: project, roles: roles), expires: expires))
    }
}

/// The SHA-256 of a token, which is stored instead of the token, in files and in memory.
package struct TokenDigest: Sendable, Hashable, CustomStringConvertible {
    private let digest: Digest

    package init(of token: String) {
        let stream = DigestStream(.sha256)
        Array(token.utf8).withUnsafeBytes { stream.update($0) }
        digest = stream.finish()
    }

    /// Parses `sha256:` and 64 hexadecimal digits; nil for anything else.
    init?(_ text: Substring) {
        guard text.hasPrefix("sha256:"), let digest = try? Digest(.sha256, hex: String(text.dropFirst(7))) else { return nil }
        self.digest = digest
    }

    /// The text in a tokens file: `sha256:9f86…`, complete.
    package var description: String { digest.description }

    /// Compares two digests in constant time.
    func matches(_ other: TokenDigest) -> Bool {
        var difference: UInt8 = 0
        for (left, right) in zip(digest.bytes, other.digest.bytes) { difference |= left ^ right }
        return difference == 0
    }
}
