import ArgumentParser
import Glibc

/// The command `baton serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the server.",
        discussion: """
            SIGTERM and SIGINT stop the server after running downloads have finished, or after server.drain_timeout. A second \
            signal, or SIGQUIT, stops it at once. SIGHUP reloads the configuration. A socket from systemd (LISTEN_FDS) \
            replaces server.listen.

            With --dir or --demo, the server needs no configuration file. It serves the images of a directory to this machine \
            only, and keeps no data when it ends.
            """)

    @OptionGroup var file: ConfigurationOption

    @Option(help: "Serve the images below this directory, without a configuration file.")
    var dir: String?
    @Flag(help: "Serve two images of random bytes, without a configuration file or a directory.")
    var demo = false

    @Option(
        help: "The address to listen at, in place of server.listen; port 0 takes any free port, unix:/PATH is a socket file.")
    var listen: String?

    @Flag(help: .hidden)
    var withoutVerification = false

    func run() async throws {
        // A closed connection is reported by the result of a write. SIGHUP is handled once the server runs. The other signals
        // have no meaning here and must not end the process.
        for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        if dir != nil || demo { return try await serveDirectory() }
        let (path, listen) = (file.config, listen)
        let server = try BatonServer(isVerifyingWholes: !withoutVerification) {
            try ConfigurationOption.load(path, listen: listen)
        }
        try await server.run(onRunning: Self.announce)
    }

    func validate() throws {
        guard dir != nil || demo else { return }
        if dir != nil, demo { throw ValidationError("--dir and --demo exclude each other: use only one of them.") }
        if file.config != ConfigurationOption.standard {
            throw ValidationError("--config is not used with --dir or --demo, which need no configuration file.")
        }
    }

    private func serveDirectory() async throws {
        let home = try PrivateDirectory()
        defer { home.remove() }
        if demo { try DemoImages.write(to: home.images) }
        try await ServedDirectory(path: dir ?? home.images, home: home, listen: listen)
            .run(isVerifyingWholes: !withoutVerification, onRunning: Self.announce)
    }

    private static func announce(_ address: String) {
        print("baton listens at \(address)")
        fflush(nil)
    }
}
