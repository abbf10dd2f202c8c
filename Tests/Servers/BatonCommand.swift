import Foundation
import Waiting

/// The `baton` command that was built with these tests.
package enum BatonCommand {
    /// The exit code and the output of a run.
    package struct Result: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }

    /// The path of the command: `BATON_TEST_COMMAND` if it is set, e.g. to an optimised build; else beside the test bundle.
    package static var path: String {
        if let given = ProcessInfo.processInfo.environment["BATON_TEST_COMMAND"] { return given }
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "baton").path
    }

    /// The path of a program in the folder `scripts`.
    package static func script(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "scripts/\(name)").path
    }

    /// Runs a program and waits until it exits.
    /// - Parameters:
    ///   - program: a path; nil for `baton` itself.
    ///   - environment: variables in addition to the test's environment.
    ///   - directory: the working directory; nil for that of the test.
    ///   - bound: the time after which the program is killed.
    package static func run(
        _ arguments: [String], program: String? = nil, environment: [String: String] = [:], in directory: String? = nil,
        within bound: Duration = .seconds(240), file: String = #fileID, line: Int = #line
    ) async throws -> Result {
        try await onOwnThread {
            let process = Process()
            process.executableURL = URL(filePath: program ?? path)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
            if let directory { process.currentDirectoryURL = URL(filePath: directory) }
            let (output, errors) = (Pipe(), Pipe())
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = errors
            let collected = Collected()
            let reader = Thread { collected.take(errors.fileHandleForReading.readDataToEndOfFile()) }
            try process.run()
            process.mustEnd(within: bound, file: file, line: line)
            reader.start()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return Result(status: process.exitCode(), output: text, errors: collected.text())
        }
    }

    /// The standard error of a run, read by a second thread so that a full pipe does not block the program.
    ///
    /// `@unchecked Sendable`: `data` is written before `done` is signalled, and read afterwards.
    private final class Collected: @unchecked Sendable {
        private let done = DispatchSemaphore(value: 0)
        private var data = Data()

        func take(_ data: Data) {
            self.data = data
            done.signal()
        }

        func text() -> String {
            // The reading ends with the process, which is killed at the bound.
            _ = done.wait(timeout: .now() + 300)
            return String(decoding: data, as: UTF8.self)
        }
    }
}
