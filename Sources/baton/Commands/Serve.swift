internal import ArgumentParser
internal import BatonConfig
internal import Glibc

/// `baton serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the server.",
        discussion: """
            SIGTERM and SIGINT stop it after running downloads have finished (at most server.drain_timeout); SIGQUIT stops it at \
            once; SIGHUP makes it read its certificate again.
            """)

    @OptionGroup var file: ConfigurationOption

    @Option(
        help: "Where to listen, instead of the file's server.listen; port 0 takes any free one, unix:/PATH is a socket file.")
    var listen: String?

    @Flag(help: .hidden)
    var withoutProof = false

    func run() async throws {
        // A client that is gone shows in the result of the write, which says more than the signal.
        signal(SIGPIPE, SIG_IGN)
        let (configuration, backends) = try file.load(listen: listen)
        // Until the service that waits for it runs, a SIGHUP must not end the process.
        let isSecure = configuration.server.certificate != nil
        if isSecure { signal(SIGHUP, SIG_IGN) }
        try await BatonServer(configuration, backends: backends, provesWholes: !withoutProof).run { address in
            let scheme = address.socketFile == nil ? (isSecure ? "https://" : "http://") : ""
            print("baton listens at \(scheme)\(address)")
            fflush(nil)
        }
    }
}
