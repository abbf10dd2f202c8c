package import Foundation
import Glibc
import Waiting

extension Process {
    /// Waits until the process exits; must be called on a thread that may block. A process that does not exit in time is
    /// killed, with a message on standard error.
    ///
    /// Foundation detects an exit through a socket that another child, started at the same moment, can hold open; its own wait
    /// then lasts as long as that child. This function asks the kernel instead, and Foundation still reaps the process.
    /// - Returns: the exit code, or the signal that ended the process.
    @discardableResult
    package func exitCode(within bound: Duration = longestWait, file: String = #fileID, line: Int = #line) -> Int32 {
        // The code is kept, because once Foundation reaps the process the kernel has no status, and Foundation may not have it
        // yet.
        var code: Int32?
        let ended = {
            code = code ?? self.ending
            return code != nil
        }
        do {
            try eventuallyOnThread("the end of \(summary)", within: bound, file: file, line: line, ended)
        } catch {
            (error as? WaitTimeout)?.report()
            kill(processIdentifier, SIGKILL)
            try? eventuallyOnThread("the end of \(summary) after it was killed", ended)
        }
        return code ?? -1
    }

    /// Starts a thread that kills the process if it does not exit in time.
    package func mustEnd(within bound: Duration, file: String = #fileID, line: Int = #line) {
        Thread.detachNewThread { self.exitCode(within: bound, file: file, line: line) }
    }

    private var summary: String {
        ([executableURL?.lastPathComponent ?? "a process"] + (arguments ?? [])).joined(separator: " ")
    }

    /// The exit code or signal; nil while the process runs.
    private var ending: Int32? {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &information, WEXITED | WNOWAIT | WNOHANG) != 0 {
            // Foundation has reaped the process, and has its status or is about to have it.
            guard errno == EINTR else { return isRunning ? nil : terminationStatus }
        }
        return information.si_signo == 0 ? nil : information._sifields._sigchld.si_status
    }
}

/// The other side of a pipe was closed before the awaited text arrived.
package struct OutputEnded: Error {
    /// The output before the end.
    package let text: String
}

extension FileHandle {
    /// Reads a process's output until `find` returns a value; must be called on a thread that may block.
    /// - Parameter awaited: what the text means, for the message about a timeout.
    /// - Throws: `WaitTimeout`, `OutputEnded`.
    package func read<Found>(
        until awaited: String, within bound: Duration = longestWait, file: String = #fileID, line: Int = #line,
        _ find: (String) -> Found?
    ) throws -> Found {
        var text = ""
        var found: Found?
        try eventuallyOnThread("\(awaited) after \(text.debugDescription)", within: bound, file: file, line: line) {
            var readable = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&readable, 1, 100) > 0 else { return false }
            let data = availableData
            guard !data.isEmpty else { throw OutputEnded(text: text) }
            text += String(decoding: data, as: UTF8.self)
            found = find(text)
            return found != nil
        }
        guard let found else { throw OutputEnded(text: text) }
        return found
    }
}

/// Runs blocking work on its own thread, so that it does not delay other tests.
/// - Throws: the error of `work`; `CancellationError` after the test's time limit, which also ends tests that poll.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}

/// Libraries preloaded into Baton that change its clock and make its disk fail.
package enum Preloading {
    /// Whether preloading works. It does not work with a sanitizer: faketime's library allocates memory while it initialises, a
    /// sanitizer's allocator reads the time, and both wait for each other.
    package static let isPossible: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return environment["TSAN_OPTIONS"] == nil && environment["ASAN_OPTIONS"] == nil
    }()
}
