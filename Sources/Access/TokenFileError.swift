/// All problems of a tokens file, by line. No message contains the text of a line.
package struct TokenFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One problem.
    package struct Problem: Sendable, Equatable {
        /// The line, from 1; nil if the problem concerns the whole file.
        package let line: Int?
        /// The problem and the remedy.
        package let message: String
    }

    /// The path of the file as the caller named it.
    package let file: String
    /// The problems, in order of their lines.
    package let problems: [Problem]

    /// One sentence for each problem, each on its own line.
    package var description: String { sentences.joined(separator: "\n") }

    /// One sentence for each problem.
    package var sentences: [String] {
        problems.map { problem in "\(file)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)" }
    }
}
