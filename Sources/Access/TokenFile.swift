package import FoundationEssentials
import Glibc
package import Logging
package import NetworkAddress
import Synchronization

/// Admits callers with a token from a file (`auth.mode: tokens`). A changed file is reloaded without a restart; an invalid one
/// is ignored, with the reason in the log.
package final class TokenFile: Authenticator {
    /// The challenge for a refused client.
    package let challenge = "Bearer realm=\"baton\""

    /// The properties that distinguish one state of the file from the next.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let written: Time
        /// The ctime, which also changes with the owner and the permissions.
        let changed: Time

        struct Time: Equatable {
            let seconds: Int
            let nanoseconds: Int

            init(_ time: timespec) { (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec) }
        }
    }

    private struct State {
        var list: TokenList
        var stamp: Stamp?
        var checked: Date
    }

    /// The interval in seconds between checks of the file.
    private static let interval: TimeInterval = 1
    /// The largest file in bytes: room for tens of thousands of tokens.
    private static let sizeLimit = 8 << 20

    private let path: String
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let state: Mutex<State>

    /// Reads the file.
    /// - Parameter now: the clock, for tests.
    /// - Throws: `TokenFileError` if the file can't be read or has errors.
    package init(path: String, logger: Logger, now: @escaping @Sendable () -> Date = { .now }) throws(TokenFileError) {
        self.path = path
        self.logger = logger
        self.now = now
        let stamp = Self.stamp(of: path)
        state = Mutex(State(list: try Self.read(path), stamp: stamp, checked: now()))
    }

    /// Reads the tokens of a file once.
    /// - Throws: `TokenFileError` with all problems, by line.
    package static func read(_ path: String) throws(TokenFileError) -> TokenList {
        func whole(_ message: String) -> TokenFileError {
            TokenFileError(file: path, problems: [.init(line: nil, message: message)])
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw whole("can't be read; does it exist, and may this user read it?")
        }
        guard data.count <= sizeLimit else { throw whole("is larger than \(sizeLimit >> 20) MiB; is it the right file?") }
        guard let text = String(validating: data, as: UTF8.self) else { throw whole("is not UTF-8 text") }
        return try TokenList(text, named: path)
    }

    package func caller(of token: String?, from client: IPAddress?) async throws(AuthenticationRefusal) -> Caller {
        guard let token, !token.isEmpty else { throw .missing }
        let now = now()
        return try current(at: now).caller(of: token, at: now)
    }

    private func current(at now: Date) -> TokenList {
        state.withLock { state in
            guard !(0..<Self.interval).contains(now.timeIntervalSince(state.checked)) else { return state.list }
            state.checked = now
            let stamp = Self.stamp(of: path)
            guard stamp != state.stamp else { return state.list }
            state.stamp = stamp
            do {
                state.list = try Self.read(path)
                logger.notice(
                    "tokens.reloaded: The tokens file was read again.",
                    metadata: ["tokens": .stringConvertible(state.list.entries.count)])
            } catch {
                logger.error(
                    "tokens.reload_failed: The tokens file is invalid. The tokens that were read before stay valid.",
                    metadata: ["problem": "\(error)"])
            }
            return state.list
        }
    }

    private static func stamp(of path: String) -> Stamp? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return Stamp(
            inode: UInt64(facts.st_ino), size: Int64(facts.st_size), written: Stamp.Time(facts.st_mtim),
            changed: Stamp.Time(facts.st_ctim))
    }
}

/// All problems of a tokens file, by line. No message contains the text of a line.
package struct TokenFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One problem.
    package struct Problem: Sendable, Equatable {
        /// The line, from 1; nil if the problem concerns the whole file.
        package let line: Int?
        /// The problem and the remedy.
        package let message: String
    }

    /// The path of the file as the caller named it.
    package let file: String
    /// The problems, in order of their lines.
    package let problems: [Problem]

    /// One sentence for each problem, each on its own line.
    package var description: String { sentences.joined(separator: "\n") }

    /// One sentence for each problem.
    package var sentences: [String] {
        problems.map { problem in "\(file)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)" }
    }
}
