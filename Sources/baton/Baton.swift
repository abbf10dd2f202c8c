import ArgumentParser
import CurlTransfer
import Glibc

/// The command `baton`.
@main
struct Baton: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baton",
        abstract: "A streaming image proxy that fails over between locations in mid-stream and verifies every byte.",
        discussion: """
            Exit codes: 0 success; 1 error; 2 digest mismatch; 3 server unreachable or not trusted; 64 usage error. With \
            --json, standard output has exactly one JSON object: the result, or {"error": {"kind": …, "code": …, "message": \
            …}}.
            """,
        version: "baton \(version)",
        subcommands: [
            Serve.self, Check.self, ImageCommand.self, LocationCommand.self, UploadCommand.self, Explain.self, Get.self,
            Token.self,
        ])

    static let version = UserAgent.version

    /// Runs the command. Errors become one line on standard error and an exit code.
    static func main() async {
        Standard.prepare()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch let error where exitCode(for: error).isSuccess {
            // Help and version were requested.
            Standard.output.write(fullMessage(for: error) + "\n")
        } catch {
            let failure = CommandFailure(error)
            failure.printError()
            Glibc.exit(failure.code)
        }
        Standard.finish()
    }
}
