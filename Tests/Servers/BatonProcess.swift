import FaultyOrigin
package import Foundation
import Synchronization
import Waiting

/// A running `baton serve` as in production: a separate process with a configuration file and a log.
package final class BatonProcess: Sendable {
    /// One line of the log.
    package struct LogRecord: Sendable {
        package let level: String
        package let message: String
        package let fields: [String: [String]]

        /// The event's name (docs/logs.md); nil for lines of libraries.
        package var event: String? { self["event"] }

        /// The value of a field; nil if the field is missing or a list of other than one item.
        package subscript(name: String) -> String? { fields[name].flatMap { $0.count == 1 ? $0[0] : nil } }
    }

    private struct State {
        var log: [LogRecord] = []
        var rawLog = ""
        var waiters: [(condition: @Sendable ([LogRecord]) -> Bool, waiter: AsyncStream<Void>.Continuation)] = []
    }

    package let port: Int
    /// The token that `send` and `download` use by default.
    package let token: String?
    package let directory: TestDirectory
    private let process: Process
    private let state: Mutex<State>

    /// Starts a server and waits until it listens.
    /// - Parameters:
    ///   - backends: the section `backends`, as YAML flow mapping entries by id.
    ///   - settings: further sections as YAML. Those that are left out get defaults that suit tests, such as short timeouts.
    ///   - withoutPrivileges: whether the server runs as the user nobody if the test runs as root.
    ///   - token: the token that requests send by default.
    ///   - environment: variables in addition to the test's environment.
    ///   - listen: the listening address; most helpers connect to 127.0.0.1.
    ///   - wrapper: a command that replaces itself with the program in its arguments.
    ///   - input: the server's standard input.
    ///   - fileSizeLimit: the maximum size of files in KiB, which simulates a full disk.
    ///   - onSpawn: called with the process id before the server listens.
    /// - Throws: `StartFailed` with the log.
    package init(
        backends: [String: String], settings: String = "", directory given: TestDirectory? = nil,
        withoutPrivileges: Bool = false, fileSizeLimit: Int? = nil, token: String? = nil, logLevel: String = "info",
        environment: [String: String] = [:], wrapper: [String] = [], listen: String = "127.0.0.1:0",
        input: FileHandle = .nullDevice, onSpawn: (Int32) -> Void = { _ in }
    ) async throws {
        let directory = try given ?? TestDirectory()
        self.directory = directory
        self.token = token
        var yaml = "catalog: \"sqlite:\(directory.file("catalog.sqlite"))\"\n"
        yaml += "log: { format: json, level: \(logLevel) }\n"
        if !settings.contains("relay:") { yaml += "relay: { connect_timeout: 1s, stall_timeout: 400ms, give_up_after: 4s }\n" }
        // Tests choose which location serves first.
        if !settings.contains("selection:") { yaml += "selection: { strategy: ordered }\n" }
        // Scrubs would add requests to origins whose requests the tests count.
        if !settings.contains("maintenance:") { yaml += "maintenance: { scrub_interval: 0s }\n" }
        // Reads that make manifests of new images would do that, too.
        if !settings.contains("manifests:") { yaml += "manifests: { eager: false }\n" }
        yaml += settings + "\nbackends:\n"
        for (id, entries) in backends.sorted(by: { $0.key < $1.key }) { yaml += "  \(id): { \(entries) }\n" }
        if backends.isEmpty { yaml += "  {}\n" }
        let file = try directory.write(yaml, to: "baton.yaml")
        let process = Process()
        let command = wrapper + [BatonCommand.path, "serve", "--config", file, "--listen", listen]
        if withoutPrivileges, geteuid() == 0 {
            process.executableURL = URL(filePath: "/usr/bin/setpriv")
            process.arguments = ["--reuid=65534", "--regid=65534", "--clear-groups"] + command
        } else if let fileSizeLimit {
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = ["-c", "ulimit -f \(fileSizeLimit); trap '' XFSZ; exec \"$0\" \"$@\""] + command
        } else {
            process.executableURL = URL(filePath: command[0])
            process.arguments = Array(command.dropFirst())
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        self.process = process
        state = Mutex(State())
        try process.run()
        onSpawn(process.processIdentifier)
        Leftovers.add(process) { [process] in if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        port = try await onOwnThread {
            do {
                let text = try output.fileHandleForReading.read(until: "the line that says where baton serve listens") { text in
                    text.contains("\n") ? text : nil
                }
                if text.contains("unix:") { return 0 }
                let port = text.split(separator: ":").last.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
                guard let port else { throw StartFailed(log: text) }
                return port
            } catch let error where !(error is StartFailed) {
                kill(process.processIdentifier, SIGKILL)
                let log = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                throw StartFailed(log: error is OutputEnded ? log : "\(error)\n\(log)")
            }
        }
        Thread.detachNewThread { [weak self] in
            var rest = Data()
            while true {
                let data = errors.fileHandleForReading.availableData
                if data.isEmpty { return }
                rest += data
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    self?.take(line: Data(rest[..<end]))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
        }
    }

    package struct StartFailed: Error {
        package let log: String
    }

    deinit {
        Leftovers.remove(process)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private func take(line: Data) {
        let raw = String(decoding: line, as: UTF8.self)
        guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else {
            return state.withLock { $0.rawLog += raw + "\n" }
        }
        var fields: [String: [String]] = [:]
        for (name, value) in object {
            fields[name] = (value as? [Any])?.map { "\($0)" } ?? ["\(value)"]
        }
        let record = LogRecord(
            level: fields["level"]?.first ?? "", message: fields["message"]?.first ?? "", fields: fields)
        let due = state.withLock { state in
            state.log.append(record)
            state.rawLog += raw + "\n"
            let due = state.waiters.filter { $0.condition(state.log) }
            if !due.isEmpty { state.waiters.removeAll { $0.condition(state.log) } }
            return due
        }
        for (_, waiter) in due { waiter.finish() }
    }

    /// Waits until the log fulfils a condition. If that does not happen in time, returns after a message on standard error.
    package func waitForLog(
        file: String = #fileID, line: Int = #line, _ condition: @escaping @Sendable ([LogRecord]) -> Bool
    ) async {
        let (end, waiter) = AsyncStream.makeStream(of: Void.self)
        let holds = state.withLock { state in
            if condition(state.log) { return true }
            state.waiters.append((condition, waiter))
            return false
        }
        if !holds { await ending(of: end, "a log of baton serve that fulfils the condition", file: file, line: line) }
    }

    /// Waits for a log line that fulfils a condition.
    /// - Returns: the first such line; an empty record if none appears in time.
    package func logged(
        file: String = #fileID, line: Int = #line, _ condition: @escaping @Sendable (LogRecord) -> Bool
    ) async -> LogRecord {
        await waitForLog(file: file, line: line) { $0.contains(where: condition) }
        return log.first(where: condition) ?? LogRecord(level: "", message: "", fields: [:])
    }

    /// Waits for the log line about a finished download of an image.
    /// - Returns: the line, as `logged`.
    package func relay(of image: String, file: String = #fileID, line: Int = #line) async -> LogRecord {
        await logged(file: file, line: line) { $0.event == "download.finished" && $0["image"] == image }
    }

    /// The log so far.
    package var log: [LogRecord] { state.withLock { $0.log } }

    /// The unparsed log so far.
    package var rawLog: String { state.withLock { $0.rawLog } }

    package var processID: Int32 { process.processIdentifier }

    /// Sends SIGTERM.
    package func terminate() { process.terminate() }

    /// Sends a signal to the server.
    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Changes the configuration file and sends SIGHUP.
    package func reload(_ change: (String) -> String) throws {
        let file = directory.file("baton.yaml")
        try directory.write(change(try String(contentsOfFile: file, encoding: .utf8)), to: "baton.yaml")
        signal(SIGHUP)
    }

    /// Waits until the server exits. A server that does not exit in time is killed.
    /// - Returns: the exit code, or the signal that ended the process.
    package func exited(file: String = #fileID, line: Int = #line) async throws -> Int32 {
        let process = process
        return try await onOwnThread { process.exitCode(file: file, line: line) }
    }

    /// The resident memory of the server in bytes (`VmRSS`).
    package func residentMemory() throws -> Int64 {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int64($0) } ?? 0) * 1024
    }
}
