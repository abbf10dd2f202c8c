import Glibc

/// Says why on standard error, and ends the process.
private func end(_ reason: String, _ code: Int32) -> Never {
    let line = Array("\(reason)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(code)
}

#if FUZZING
/// What libFuzzer calls with each input. The environment names the parser, so that all share one binary.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer's buffer lives for the length of this call, and is only read in it.
    chosenParser.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

private let chosenParser: FuzzedParser = {
    let name = getenv("BATON_FUZZ").map { String(cString: $0) } ?? ""
    guard let parser = FuzzedParser(rawValue: name) else {
        end("BATON_FUZZ must name a parser: \(FuzzedParser.allCases.map(\.rawValue).joined(separator: ", "))", 64)
    }
    return parser
}()
#else
/// Without libFuzzer: `baton-fuzz PARSER FILE…` reads inputs that it has found, under a debugger for example.
@main struct Replay {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let parser = FuzzedParser(rawValue: name) else {
            for parser in FuzzedParser.allCases { print(parser.rawValue) }
            return
        }
        for path in arguments.dropFirst() {
            guard let bytes = contents(of: path) else {
                end("\(path): can't be read", 66)
            }
            bytes.withUnsafeBytes(parser.run)
        }
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block.prefix(count) }
        return bytes
    }
}
#endif
