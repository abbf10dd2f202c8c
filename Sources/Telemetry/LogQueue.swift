import Dispatch
import Glibc
import Synchronization

/// A queue of lines for a file descriptor. A dedicated thread writes them, so that a reader that stops does not block other
/// threads. When the queue is full, lines are dropped and counted; a line with their number follows.
final class LogQueue: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        /// The size of all lines that are not written yet.
        var bytes = 0
        /// The number of lines dropped since the last line that was enqueued.
        var dropped = 0
    }

    private let descriptor: Int32
    private let limit: Int
    private let notice: @Sendable (Int) -> [UInt8]
    private let state = Mutex(State())
    private let total = Atomic(0)
    private let arrivals = DispatchSemaphore(value: 0)

    /// Creates a queue.
    /// - Parameters:
    ///   - limit: the maximum size in bytes of all waiting lines.
    ///   - notice: creates the line that states how many lines were dropped.
    init(descriptor: Int32, limit: Int, notice: @escaping @Sendable (Int) -> [UInt8]) {
        self.descriptor = descriptor
        self.limit = limit
        self.notice = notice
        // A separate dispatch queue gets a thread on which no other work waits.
        DispatchQueue(label: "log").async { [self] in work() }
    }

    /// The number of lines dropped since the start.
    var dropped: Int { total.load(ordering: .relaxed) }

    /// Enqueues a line, which includes its line end; never blocks.
    func append(_ line: [UInt8]) {
        let isTaken = state.withLock { state in
            guard state.bytes + line.count <= limit else {
                state.dropped += 1
                return false
            }
            noteDropped(&state)
            state.lines.append(line)
            state.bytes += line.count
            return true
        }
        if isTaken { arrivals.signal() } else { total.add(1, ordering: .relaxed) }
    }

    /// Waits until all lines are written, but not longer than `limit`.
    func flush(within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        while state.withLock({ $0.bytes > 0 }), ContinuousClock.now < deadline { usleep(1000) }
    }

    private func noteDropped(_ state: inout State) {
        guard state.dropped > 0 else { return }
        let line = notice(state.dropped)
        state.dropped = 0
        state.lines.append(line)
        state.bytes += line.count
    }

    private func work() {
        while true {
            arrivals.wait()
            while true {
                let lines = state.withLock { state in
                    if state.lines.isEmpty { noteDropped(&state) }
                    defer { state.lines = [] }
                    return state.lines
                }
                if lines.isEmpty { break }
                for line in lines {
                    let isWritten = write(line)
                    if !isWritten { total.add(1, ordering: .relaxed) }
                    state.withLock { state in
                        state.bytes -= line.count
                        if !isWritten { state.dropped += 1 }
                    }
                    if !isWritten { usleep(1000) }  // the log has no reader: do not spin
                }
            }
        }
    }

    /// Writes a whole line and waits as long as necessary.
    /// - Returns: false if writing failed, for example because the reader has closed the pipe.
    private func write(_ line: [UInt8]) -> Bool {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&event, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
