package import FoundationEssentials
import Glibc
package import Logging
package import NetworkAddress
import Synchronization

/// Lets in who has a token of a file (`auth.mode: tokens`). A changed file is read again, without a restart; one that makes no sense
/// changes nothing, and the log says why.
package final class TokenFile: Authenticator {
    /// Told to a refused client.
    package let challenge = "Bearer realm=\"baton\""

    /// What tells one state of the file from the next.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let written: Time
        /// Also when its owner or its permissions were changed.
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

    /// How long the file is not looked at again.
    private static let interval: TimeInterval = 1
    /// Ten thousands of tokens fit in.
    private static let sizeLimit = 8 << 20

    private let path: String
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let state: Mutex<State>

    /// Reads the file.
    /// - Parameter now: the time, for tests.
    package init(path: String, logger: Logger, now: @escaping @Sendable () -> Date = { .now }) throws(TokenFileError) {
        self.path = path
        self.logger = logger
        self.now = now
        let stamp = Self.stamp(of: path)
        state = Mutex(State(list: try Self.read(path), stamp: stamp, checked: now()))
    }

    /// The tokens of a file, without anything that goes on.
    /// - Throws: what is wrong with it, by line.
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
        guard let text = String(validating: data, as: UTF8.self) else { throw whole("is no UTF-8 text") }
        return try TokenList(text, named: path)
    }

    /// Who has the token.
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
                    "tokens.reload_failed: The tokens file is wrong. The tokens read before stay valid.",
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
