internal import Glibc

/// The process's standard streams, written to without a buffer.
enum Standard {
    case error

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
