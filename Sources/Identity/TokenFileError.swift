/// Everything that is wrong with a tokens file, by line. No sentence holds what stands in the line.
public struct TokenFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Sendable, Equatable {
        /// The line, from 1; nil when the whole file is meant.
        public let line: Int?
        /// What is wrong, and what would be right.
        public let message: String
    }

    /// The file, as it was named.
    public let file: String
    /// What is wrong, in the order of the lines.
    public let problems: [Problem]

    /// One sentence for each problem, each on its own line.
    public var description: String { sentences.joined(separator: "\n") }

    /// One sentence for each problem.
    public var sentences: [String] {
        problems.map { problem in "\(file)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)" }
    }
}
