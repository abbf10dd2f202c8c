import ArgumentParser
import BatonConfig

/// Which configuration file a command reads.
struct ConfigurationOption: ParsableArguments {
    @Option(help: "The configuration file.")
    var config = "baton.yaml"

    /// Reads it, with everything that can be said of it by itself.
    func read() throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try Self.read(config)
    }

    /// Reads it.
    /// - Parameter listen: an address in place of the file's.
    func load(listen: String?) throws -> (BatonConfiguration, [ConfiguredBackend]) {
        try Self.load(config, listen: listen)
    }

    /// Reads a file, with everything that can be said of it by itself.
    static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try ConfigurationFile(path: path, drivers: ConfiguredBackend.drivers, comparing: ConfiguredBackend.compare)
    }

    /// Reads a file.
    /// - Parameter listen: an address in place of the file's.
    static func load(_ path: String, listen: String?) throws -> (BatonConfiguration, [ConfiguredBackend]) {
        let file = try read(path)
        var configuration = file.configuration
        if let listen {
            guard let address = ListenAddress(listen) else {
                throw ValidationError("--listen: \"\(listen)\" is no address and port; write for example 127.0.0.1:9292.")
            }
            guard configuration.auth.mode.allows(address) else {
                throw ValidationError(
                    "--listen: \"\(listen)\" can be reached from other machines, which auth.mode none does not allow.")
            }
            configuration.server.listen = address
        }
        let backends = file.backends.map { backend in
            var backend = backend
            backend.source = file.sources[backend.id]
            return backend
        }
        return (configuration, backends)
    }
}
