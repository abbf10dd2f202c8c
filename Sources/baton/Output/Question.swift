import BatonClient
import Glibc

/// A confirmation prompt before an operation that can't be undone.
enum Question {
    /// Whether the process has a terminal to ask at.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Whether the user answers yes; any other answer is no.
    static func confirms(_ question: String) -> Bool {
        Standard.error.write("\(question.plain) [y/N] ")
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}
