import ArgumentParser
import Glibc

/// `baton serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the server.",
        discussion: """
            SIGTERM and SIGINT stop it after running downloads have finished (at most server.drain_timeout), a second one or SIGQUIT \
            at once. SIGHUP makes it read its configuration again. A socket that systemd hands over (LISTEN_FDS) is used in place \
            of server.listen.
            """)

    @OptionGroup var file: ConfigurationOption

    @Option(
        help: "Where to listen, instead of the file's server.listen; port 0 takes any free one, unix:/PATH is a socket file.")
    var listen: String?

    @Flag(help: .hidden)
    var withoutVerification = false

    func run() async throws {
        // A closed connection shows in the result of a write, which says more than SIGPIPE. SIGHUP is handled once the server
        // runs. The others have no meaning here and must not end the process.
        for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        let (path, listen) = (file.config, listen)
        let server = try BatonServer(isVerifyingWholes: !withoutVerification) {
            try ConfigurationOption.load(path, listen: listen)
        }
        try await server.run { place in
            print("baton listens at \(place)")
            fflush(nil)
        }
    }
}
