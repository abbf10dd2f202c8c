internal import ArgumentParser
internal import BatonClient
internal import CurlTransfer
internal import FoundationEssentials

/// Which server a command talks to.
struct EndpointOptions: ParsableArguments {
    @Option(help: "The server's URL. [$BATON_ENDPOINT, else http://127.0.0.1:9292]")
    var endpoint: String?

    func validate() throws {
        let url = self.url
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), !url.contains(" ") else {
            throw ValidationError("\"\(url)\" is no server's URL; write for example http://127.0.0.1:9292.")
        }
    }

    private var url: String {
        endpoint ?? ProcessInfo.processInfo.environment["BATON_ENDPOINT"] ?? "http://127.0.0.1:9292"
    }

    /// The server; the token comes from `BATON_TOKEN`.
    func open() -> Endpoint {
        Endpoint(url: url, token: ProcessInfo.processInfo.environment["BATON_TOKEN"], loop: TransferLoop(name: "client"))
    }
}
