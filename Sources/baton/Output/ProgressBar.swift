internal import BatonClient
internal import Glibc
internal import Synchronization

/// Draws a download's progress on standard error, if that is a terminal; else it is silent.
final class ProgressBar: Sendable {
    private struct State {
        var line = ProgressLine()
        var isDrawn = false
        var isOver = false
    }

    private let state: Mutex<State>

    /// nil when standard error is no terminal.
    init?() {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        state = Mutex(State())
    }

    func show(_ progress: Download.Progress) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.isDrawn = true
            Standard.error.write("\r" + state.line.text(for: progress, width: Self.width, at: .now) + "\u{1B}[K")
        }
    }

    /// Leaves the last line standing.
    func end() {
        state.withLock { state in
            if state.isDrawn, !state.isOver { Standard.error.write("\n") }
            state.isOver = true
        }
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col) - 1
    }
}
