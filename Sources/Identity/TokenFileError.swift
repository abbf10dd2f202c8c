/// Everything that is wrong with a tokens file, by line. No sentence holds what stands in the line.
package struct TokenFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    package struct Problem: Sendable, Equatable {
        /// The line, from 1; nil when the whole file is meant.
        package let line: Int?
        /// What is wrong, and what would be right.
        package let message: String
    }

    /// The file, as it was named.
    package let file: String
    /// What is wrong, in the order of the lines.
    package let problems: [Problem]

    /// One sentence for each problem, each on its own line.
    package var description: String { sentences.joined(separator: "\n") }

    /// One sentence for each problem.
    package var sentences: [String] {
        problems.map { problem in "\(file)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)" }
    }
}
