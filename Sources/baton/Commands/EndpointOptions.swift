import ArgumentParser
import BatonClient
import BatonConfig
import CurlTransfer
import FoundationEssentials
package import ImageModel

/// The options for the connection to the server.
struct EndpointOptions: ParsableArguments {
    @Option(help: "The server's URL, or unix: and the path of its socket file. [$BATON_ENDPOINT, else \(standardURL)]")
    var endpoint: String?
    @Option(help: "A file of certificates to verify an https server with, in place of the system's. [$BATON_CA_FILE]")
    var caFile: String?

    func validate() throws {
        let url = self.url
        let isURL = (url.hasPrefix("http://") || url.hasPrefix("https://")) && !url.contains(" ")
        guard isURL || Endpoint.socketFile(in: url) != nil else {
            throw ValidationError(
                "\"\(url)\" is not the URL of a server; write for example \(Self.standardURL) or unix:/run/baton/baton.sock.")
        }
        if let authorities, !FileManager.default.isReadableFile(atPath: authorities) {
            throw ValidationError("\"\(authorities)\" can't be read; give the file of the server's certificate with --ca-file.")
        }
    }

    private var authorities: String? { caFile ?? ProcessInfo.processInfo.environment["BATON_CA_FILE"] }

    /// The URL of a server with the default address.
    static let standardURL = "http://\(ListenAddress.standard)"

    private var url: String { endpoint ?? ProcessInfo.processInfo.environment["BATON_ENDPOINT"] ?? Self.standardURL }

    /// Creates the endpoint, with the token from `BATON_TOKEN`.
    func open() -> Endpoint {
        Endpoint(
            url: url, token: ProcessInfo.processInfo.environment["BATON_TOKEN"], authorities: authorities,
            loop: TransferLoop(name: "client"))
    }
}

// Argument parsing for types of other modules.
extension DiskFormat: ExpressibleByArgument {}
extension ContainerFormat: ExpressibleByArgument {}

extension ByteAmount {
    /// Parses a number of bytes, e.g. `10MiB`.
    static func size(_ text: String) throws -> ByteAmount {
        guard let amount = ByteAmount(text) else { throw ValidationError("\(advice).") }
        return amount
    }

    /// Parses a rate in bytes per second, e.g. `10M` or `10M/s`.
    static func rate(_ text: String) throws -> ByteAmount {
        try size(text.hasSuffix("/s") ? String(text.dropLast(2)) : text)
    }
}

/// The option that names the configuration file.
struct ConfigurationOption: ParsableArguments {
    /// The default of `--config`.
    static let standard = "baton.yaml"

    @Option(help: "The configuration file.")
    var config = Self.standard

    /// Reads and checks the file.
    func read() throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try Self.read(config)
    }

    /// Reads the file: the configuration and its backends.
    /// - Parameter listen: the value of `--listen`, which overrides `server.listen`.
    /// - Throws: `ConfigurationError`, or `ValidationError` for `listen`.
    func load(listen: String?) throws -> (BatonConfiguration, [ConfiguredBackend]) {
        try Self.load(config, listen: listen)
    }

    /// Reads and checks the file at `path`.
    static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile<ConfiguredBackend> {
        try ConfigurationFile(path: path, drivers: ConfiguredBackend.drivers, comparing: ConfiguredBackend.compare)
    }

    /// Reads the file at `path`: the configuration and its backends.
    /// - Parameter listen: the value of `--listen`, which overrides `server.listen`.
    /// - Throws: `ConfigurationError`, or `ValidationError` for `listen`.
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

    /// Parses the value of `--listen`.
    /// - Throws: `ValidationError` if it is not an address, or one that the authentication mode does not allow.
    static func address(_ text: String, for mode: BatonConfiguration.AuthMode) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw ValidationError(
                "--listen: \"\(text)\" is not an address and port; write for example \(ListenAddress.standard).")
        }
        guard mode.allows(address) else {
            throw ValidationError(
                "--listen: \"\(text)\" can be reached from other machines, which auth.mode none does not allow.")
        }
        return address
    }
}

/// The options for the format of a command's result.
struct OutputOption: ParsableArguments {
    @Flag(help: "Print the result as one JSON object, or on failure an object with the key error.")
    var json = false

    func printJSON(_ value: some Encodable, to stream: Standard = .output) { Self.printJSON(value, to: stream) }

    /// Prints a server's JSON unchanged.
    func printJSON(_ answer: Endpoint.Answer) { Self.write(String(decoding: answer.body, as: UTF8.self), to: .output) }

    /// Prints all pages of a server's list as one JSON object.
    func printJSON<Item>(_ list: PagedList<Item>) throws {
        Self.write(String(decoding: try list.document.written(), as: UTF8.self), to: .output)
    }

    static func printJSON(_ value: some Encodable, to stream: Standard = .output) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("a report of texts and numbers is valid JSON") }
        write(String(decoding: data, as: UTF8.self), to: stream)
    }

    private static func write(_ json: String, to stream: Standard) { stream.write(json.plainJSON + "\n") }
}
