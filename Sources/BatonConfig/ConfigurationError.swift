/// Everything that is wrong with a configuration file, so that it can be put right in one go.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, by line.
    package let problems: [ConfigurationProblem]

    /// An error with every problem there is.
    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    /// One sentence for each problem, each on its own line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong with a configuration file.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file, as it was named.
    package let file: String
    /// The line, from 1; nil when the whole file is meant.
    package let line: Int?
    /// The key with those above it, e.g. `relay.stall_timeout`; nil when no single key is meant.
    package let key: String?
    /// What is wrong, and what would be right.
    package let message: String

    /// A problem with every property given.
    package init(file: String, line: Int?, key: String?, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// `baton.yaml:12: relay.stall_timeout: "3 parsecs" is no duration; …`
    package var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return "\(place): " + (key.map { "\($0): " } ?? "") + message
    }
}
