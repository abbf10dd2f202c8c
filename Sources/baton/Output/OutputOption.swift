internal import ArgumentParser
internal import BatonClient
internal import CurlTransfer
internal import FoundationEssentials

/// How a command prints its result.
struct OutputOption: ParsableArguments {
    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// Prints a value as JSON.
    func printJSON(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("a report of texts and numbers is valid JSON") }
        print(String(decoding: data, as: UTF8.self))
    }

    /// Prints a server's JSON as it came.
    func printJSON(_ answer: Endpoint.Answer) { print(String(decoding: answer.body, as: UTF8.self)) }
}
