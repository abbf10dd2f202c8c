/// Everything that is wrong with a configuration file, so that it can be put right in one go.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, by line.
    public let problems: [ConfigurationProblem]

    /// An error with every problem there is.
    public init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    /// One sentence for each problem, each on its own line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong with a configuration file.
public struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file, as it was named.
    public let file: String
    /// The line, from 1; nil when the whole file is meant.
    public let line: Int?
    /// The key with those above it, e.g. `relay.stall_timeout`; nil when no single key is meant.
    public let key: String?
    /// What is wrong, and what would be right.
    public let message: String

    /// A problem with every property given.
    public init(file: String, line: Int?, key: String?, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// `baton.yaml:12: relay.stall_timeout: "3 parsecs" is no duration; …`
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return "\(place): " + (key.map { "\($0): " } ?? "") + message
    }
}
