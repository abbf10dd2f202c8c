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

            With --dir or --demo it needs no configuration file: it serves the images of a directory to this machine, and keeps \
            nothing when it ends.
            """)

    @OptionGroup var file: ConfigurationOption

    @Option(help: "Serve the images below this directory, without a configuration file.")
    var dir: String?
    @Flag(help: "Serve two images of random bytes, without a configuration file or a directory.")
    var demo = false

    @Option(
        help: "Where to listen, instead of the file's server.listen; port 0 takes any free one, unix:/PATH is a socket file.")
    var listen: String?

    @Flag(help: .hidden)
    var withoutVerification = false

    func run() async throws {
        // A closed connection shows in the result of a write, which says more than SIGPIPE. SIGHUP is handled once the server
        // runs. The others have no meaning here and must not end the process.
        for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        if dir != nil || demo { return try await serveDirectory() }
        let (path, listen) = (file.config, listen)
        let server = try BatonServer(isVerifyingWholes: !withoutVerification) {
            try ConfigurationOption.load(path, listen: listen)
        }
        try await server.run(onRunning: Self.tell)
    }

    func validate() throws {
        guard dir != nil || demo else { return }
        if dir != nil, demo { throw ValidationError("--dir and --demo exclude each other: give one of them.") }
        if file.config != ConfigurationOption.standard {
            throw ValidationError("--config is not used with --dir or --demo, which need no configuration file.")
        }
    }

    private func serveDirectory() async throws {
        let home = try PrivateDirectory()
        defer { home.remove() }
        if demo { try DemoImages.write(to: home.images) }
        try await ServedDirectory(path: dir ?? home.images, home: home, listen: listen)
            .run(isVerifyingWholes: !withoutVerification, onRunning: Self.tell)
    }

    private static func tell(of place: String) {
        print("baton listens at \(place)")
        fflush(nil)
    }
}
