internal import ArgumentParser
internal import BatonClient
internal import Glibc

/// The command line.
@main
struct Baton: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baton",
        abstract: "A streaming image proxy that moves to the next location in mid-stream, and proves every byte.",
        discussion: """
            Exit codes: 0 all is well; 1 it could not be done; 2 the bytes are not the image's; 3 no server answers; \
            64 the command line makes no sense.
            """,
        version: "baton \(version)",
        subcommands: [
            Serve.self, Check.self, ImageCommand.self, LocationCommand.self, UploadCommand.self, Explain.self, Get.self,
            Token.self,
        ])

    static let version = "0.1.0"

    /// Runs the command; errors become one line on standard error and an exit code.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error where error is CleanExit || error is ValidationError || error is ExitCode {
            exit(withError: error)
        } catch let error as ClientError {
            Standard.error.write("baton: \(error)\n")
            Glibc.exit(error.exitCode)
        } catch let error where fullMessage(for: error).contains("Usage:") || exitCode(for: error) != .failure {
            exit(withError: error)
        } catch {
            Standard.error.write("baton: \(error)\n")
            Glibc.exit(1)
        }
    }
}

extension ClientError {
    fileprivate var exitCode: Int32 {
        switch kind {
        case .corrupt: 2
        case .unreachable: 3
        case .refused, .file, .nonsense: 1
        }
    }
}
