import BatonClient
import Glibc
import Synchronization

/// Shows the progress of a command on standard error.
final class ProgressDisplay: Sendable {
    private struct State {
        var report: ProgressReport
        var isOver = false
    }

    private let state: Mutex<State>
    private let isTerminal: Bool

    init() {
        isTerminal = isatty(STDERR_FILENO) == 1
        state = Mutex(State(report: ProgressReport(isTerminal: isTerminal, startedAt: .now)))
    }

    func show(_ event: Download.Event) {
        let width = isTerminal ? Self.width : 0
        state.withLock { state in
            guard !state.isOver, let text = state.report.text(for: event, width: width, at: .now) else { return }
            Standard.error.write(text)
        }
    }

    /// Ends the display and leaves the last line.
    func end() {
        state.withLock { state in
            if !state.isOver, let text = state.report.end() { Standard.error.write(text) }
            state.isOver = true
        }
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col) - 1
    }
}
