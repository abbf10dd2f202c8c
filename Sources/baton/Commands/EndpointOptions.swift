import ArgumentParser
import BatonClient
import CurlTransfer
import FoundationEssentials

/// The options that name the server.
struct EndpointOptions: ParsableArguments {
    @Option(help: "The server's URL, or unix: and the path of its socket file. [$BATON_ENDPOINT, else http://127.0.0.1:9292]")
    var endpoint: String?
    @Option(help: "A file of certificates to check an https server's with, in place of the system's. [$BATON_CA_FILE]")
    var caFile: String?

    func validate() throws {
        let url = self.url
        let isURL = (url.hasPrefix("http://") || url.hasPrefix("https://")) && !url.contains(" ")
        guard isURL || Endpoint.socketFile(in: url) != nil else {
            throw ValidationError(
                "\"\(url)\" is no server's URL; write for example http://127.0.0.1:9292 or unix:/run/baton/baton.sock.")
        }
        if let authorities, !FileManager.default.isReadableFile(atPath: authorities) {
            throw ValidationError("\"\(authorities)\" can't be read; give the file of the server's certificate with --ca-file.")
        }
    }

    private var authorities: String? { caFile ?? ProcessInfo.processInfo.environment["BATON_CA_FILE"] }

    private var url: String {
        endpoint ?? ProcessInfo.processInfo.environment["BATON_ENDPOINT"] ?? "http://127.0.0.1:9292"
    }

    /// Creates the endpoint, with the token from `BATON_TOKEN`.
    func open() -> Endpoint {
        Endpoint(
            url: url, token: ProcessInfo.processInfo.environment["BATON_TOKEN"], authorities: authorities,
            loop: TransferLoop(name: "client"))
    }
}
