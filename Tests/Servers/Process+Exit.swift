package import Foundation
import Glibc
import Waiting

extension Process {
    /// Waits until the process exits, on a thread that may block. A process that does not exit in time is killed, with a message on
    /// standard error.
    ///
    /// Foundation notices an exit through a socket that another child, started in the same moment, can hold open; then its own wait
    /// lasts as long as that child. This asks the kernel instead, and leaves the process for Foundation to reap.
    /// - Returns: its exit code, or the signal that ended it.
    @discardableResult
    package func exitCode(within bound: Duration = longestWait, file: String = #fileID, line: Int = #line) -> Int32 {
        // Kept when it is seen: once Foundation reaps the process, the kernel has no status any more, and Foundation may not have it yet.
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

    /// Kills the process if it has not exited in time, while other threads read its output.
    package func mustEnd(within bound: Duration, file: String = #fileID, line: Int = #line) {
        Thread.detachNewThread { self.exitCode(within: bound, file: file, line: line) }
    }

    private var summary: String {
        ([executableURL?.lastPathComponent ?? "a process"] + (arguments ?? [])).joined(separator: " ")
    }

    /// Nil while it runs.
    private var ending: Int32? {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &information, WEXITED | WNOWAIT | WNOHANG) != 0 {
            // Foundation has reaped it: it has the status, or is about to.
            guard errno == EINTR else { return isRunning ? nil : terminationStatus }
        }
        return information.si_signo == 0 ? nil : information._sifields._sigchld.si_status
    }
}

/// The other side of a pipe was closed before the awaited text came.
package struct OutputEnded: Error {
    /// The output until then.
    package let text: String
}

extension FileHandle {
    /// Reads a process's output until a text is found in it, on a thread that may block.
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
///
/// Polling tests pass through here repeatedly: once the test's time limit is over, this throws.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}

/// Libraries that are preloaded between Baton and the system, to make its clock jump and its disk fail.
package enum Preloading {
    /// Whether preloading works: it does not with a sanitizer. faketime's library allocates memory while it initialises, and a sanitizer's
    /// allocator reads the time: each waits for the other for ever.
    package static let isPossible: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return environment["TSAN_OPTIONS"] == nil && environment["ASAN_OPTIONS"] == nil
    }()
}
