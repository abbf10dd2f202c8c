import ArgumentParser
import BatonClient
import CurlTransfer
import FoundationEssentials

/// The options for the format of a command's result.
struct OutputOption: ParsableArguments {
    @Flag(help: "Print one JSON object, for programs; in place of the result an object with the key error if it fails.")
    var json = false

    func printJSON(_ value: some Encodable, to stream: Standard = .output) { Self.printJSON(value, to: stream) }

    /// Prints a server's JSON unchanged.
    func printJSON(_ answer: Endpoint.Answer) { Self.write(String(decoding: answer.body, as: UTF8.self), to: .output) }

    /// Prints all pages of a server's list as one.
    /// - Parameter name: the member that holds the items.
    func printJSON(_ list: PagedList, listing name: String) throws { Self.write(try list.json(listing: name), to: .output) }

    static func printJSON(_ value: some Encodable, to stream: Standard = .output) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("a report of texts and numbers is valid JSON") }
        write(String(decoding: data, as: UTF8.self), to: stream)
    }

    private static func write(_ json: String, to stream: Standard) { stream.write(json.plainJSON + "\n") }
}
