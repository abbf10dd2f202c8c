import BatonClient
import Glibc
import Synchronization

/// The process's standard streams, unbuffered. All text for people is written by `line` and `lines`, which escape terminal
/// control characters, since names, reasons and messages come from third parties.
enum Standard {
    case output
    case error

    /// Whether standard output carries an image's bytes, so that results must not be mixed into it.
    private static let isOutputTaken = Atomic(false)

    /// Reserves standard output for an image's bytes.
    static func reserveOutput() { isOutputTaken.store(true, ordering: .relaxed) }

    /// The stream for a command's result: standard error while standard output carries an image.
    static var forResults: Standard { isOutputTaken.load(ordering: .relaxed) ? .error : .output }

    /// Writes one line, escaped.
    func line(_ text: String) { write(text.plain + "\n") }

    /// Writes lines whose parts have been escaped by `plain`, such as a table.
    func lines(_ text: String) { write(text.plainLines + "\n") }

    /// Writes text unchanged. If standard output can't be written, reports the failure and ends the process.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        let error = bytes.withUnsafeBytes { DescriptorIO.write($0, to: self == .output ? STDOUT_FILENO : STDERR_FILENO) }
        if let error, self == .output { Self.fail(error) }
    }

    /// Closes standard output. Must be called last, since some file systems report a failed write only on close.
    static func finish() {
        if close(STDOUT_FILENO) != 0, errno != EBADF { fail(errno) }
    }

    private static func fail(_ error: Int32) -> Never {
        if error == EPIPE { endWithoutReader() }
        Standard.error.line("baton: standard output can't be written: \(String(cString: strerror(error))).")
        exit(1)
    }

    /// Ends the process by SIGPIPE, as other programs end when the reader of a pipe is gone. Has no effect if the process was
    /// started with that signal ignored.
    static func endWithoutReader() {
        guard !wasIgnoringBrokenPipes else { return }
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
    }

    /// Prepares the streams. Must be called first. SIGPIPE is ignored, because it would end the process if libcurl's TLS writes
    /// to a closed connection; writes report broken pipes instead. Closed standard streams are opened, so that no other file
    /// gets their descriptor numbers and their text.
    static func prepare() {
        _ = wasIgnoringBrokenPipes
        signal(SIGPIPE, SIG_IGN)
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
    }

    /// Whether the process was started with SIGPIPE ignored. Evaluated before `prepare` changes that.
    private static let wasIgnoringBrokenPipes: Bool = {
        var action = sigaction()
        guard sigaction(SIGPIPE, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }()
}

/// A confirmation prompt before an operation that can't be undone.
enum Question {
    /// Whether the process has a terminal to ask at.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Asks on standard error and returns whether the user answers yes; any other answer is no.
    static func confirms(_ question: String) -> Bool {
        Standard.error.write("\(question.plain) [y/N] ")
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}

/// A table with aligned columns for terminals.
struct Table {
    private let head: [String]
    private var rows: [[String]] = []

    init(_ head: String...) { self.head = head.map(\.plain) }

    mutating func add(_ cells: String...) { rows.append(cells.map(\.plain)) }

    /// The lines, with each column as wide as its widest cell.
    var text: String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
