import BatonClient
import Glibc
import Synchronization

/// The process's standard streams, written to without a buffer. All text for people leaves through `line` and `lines`, which show
/// as escapes what a terminal would act on: names, reasons and messages are other people's.
enum Standard {
    case output
    case error

    /// Whether standard output carries an image's bytes, so that a result must not be added to them.
    private static let isOutputTaken = Atomic(false)

    /// From now on standard output carries an image's bytes.
    static func takeOutput() { isOutputTaken.store(true, ordering: .relaxed) }

    /// Where a command's result goes.
    static var forResults: Standard { isOutputTaken.load(ordering: .relaxed) ? .error : .output }

    /// One line.
    func line(_ text: String) { write(text.plain + "\n") }

    /// Lines of ours whose parts have been through `plain`, such as a table.
    func lines(_ text: String) { write(text.plainLines + "\n") }

    /// The text as it is. When standard output can't be written the command has failed: it says so and ends.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        let error = bytes.withUnsafeBytes { DescriptorIO.write($0, to: self == .output ? STDOUT_FILENO : STDERR_FILENO) }
        if let error, self == .output { Self.fail(error) }
    }

    /// To be called last: some file systems tell only now that what was written found no room.
    static func finish() {
        if close(STDOUT_FILENO) != 0, errno != EBADF { fail(errno) }
    }

    private static func fail(_ error: Int32) -> Never {
        if error == EPIPE { endForWantOfReader() }
        Standard.error.line("baton: standard output can't be written: \(String(cString: strerror(error))).")
        exit(1)
    }

    /// Ends the process as the signal does that others get whose reader is gone, unless it was started with that signal ignored.
    static func endForWantOfReader() {
        guard !startedIgnoringBrokenPipes else { return }
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
    }

    /// To be called first. Broken pipes become errors of writes: libcurl's TLS would end the process otherwise. A standard stream
    /// that is closed is opened, so that no other file takes its number and gets its text.
    static func prepare() {
        _ = startedIgnoringBrokenPipes
        signal(SIGPIPE, SIG_IGN)
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
    }

    /// Looked at before `prepare` changes it.
    private static let startedIgnoringBrokenPipes: Bool = {
        var action = sigaction()
        guard sigaction(SIGPIPE, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }()
}
