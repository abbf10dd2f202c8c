import BatonClient
import Glibc

/// What a person at a terminal is asked before something that can't be undone.
enum Question {
    /// Whether there is somebody to ask.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Whether the answer is yes; everything else is no.
    static func confirms(_ question: String) -> Bool {
        Standard.error.write("\(question.plain) [y/N] ")
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}
