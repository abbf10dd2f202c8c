import ArgumentParser
import BatonConfig

/// The option that names the configuration file.
struct ConfigurationOption: ParsableArguments {
    /// The file that is read if no other is named.
    static let standard = "baton.yaml"

    @Option(help: "The configuration file.")
    var config = Self.standard

    /// Reads the file with its warnings.
    func read() throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try Self.read(config)
    }

    /// Reads the file.
    /// - Parameter listen: overrides the file's address.
    func load(listen: String?) throws -> (BatonConfiguration, [ConfiguredBackend]) {
        try Self.load(config, listen: listen)
    }

    /// Reads a file with its warnings.
    static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try ConfigurationFile(path: path, drivers: ConfiguredBackend.drivers, comparing: ConfiguredBackend.compare)
    }

    /// Reads a file.
    /// - Parameter listen: overrides the file's address.
    static func load(_ path: String, listen: String?) throws -> (BatonConfiguration, [ConfiguredBackend]) {
        let file = try read(path)
        var configuration = file.configuration
        if let listen { configuration.server.listen = try address(listen, for: configuration.auth.mode) }
        let backends = file.backends.map { backend in
            var backend = backend
            backend.source = file.sources[backend.id]
            return backend
        }
        return (configuration, backends)
    }

    /// The value of `--listen`.
    static func address(_ text: String, for mode: BatonConfiguration.AuthMode) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw ValidationError("--listen: \"\(text)\" is no address and port; write for example 127.0.0.1:9292.")
        }
        guard mode.allows(address) else {
            throw ValidationError(
                "--listen: \"\(text)\" can be reached from other machines, which auth.mode none does not allow.")
        }
        return address
    }
}
