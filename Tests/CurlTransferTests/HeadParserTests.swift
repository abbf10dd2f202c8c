import Testing

@testable import CurlTransfer

@Suite struct HeadParserTests {
    private func parse(_ lines: [String]) -> [ResponseHead] {
        var parser = HeadParser()
        return lines.compactMap { line in Array((line + "\r\n").utf8).withUnsafeBytes { parser.take($0) } }
    }

    @Test("Header names are in lower case, and values have no surrounding space")
    func headerNamesAreLowerCaseAndValuesAreTrimmed() {
        let heads = parse(["HTTP/1.1 206 Partial Content", "Content-RANGE:  bytes 0-1/2 \t", "ETag:\"a:b\"", ""])
        #expect(heads.count == 1)
        #expect(heads.first?.status == 206)
        #expect(heads.first?["content-range"] == "bytes 0-1/2")
        #expect(heads.first?["etag"] == "\"a:b\"")
    }

    @Test("Interim responses are ignored")
    func interimResponsesAreIgnored() {
        let heads = parse(["HTTP/1.1 100 Continue", "X-Early: 1", "", "HTTP/1.1 200 OK", "A: b", ""])
        #expect(heads.map(\.status) == [200])
        #expect(heads.first?["x-early"] == nil)
    }

    @Test("Trailers are ignored")
    func trailersAreIgnored() {
        #expect(parse(["HTTP/1.1 200 OK", "", "Trailer: x", ""]).count == 1)
    }

    @Test("Header values that differ in one byte are different, in UTF-8 or not")
    func bytesOfValues() {
        func tag(_ bytes: [UInt8]) -> String? {
            var parser = HeadParser()
            for line in [Array("HTTP/1.1 200 OK\r\n".utf8), Array("ETag: \"".utf8) + bytes + Array("\"\r\n".utf8)] {
                _ = line.withUnsafeBytes { parser.take($0) }
            }
            return Array("\r\n".utf8).withUnsafeBytes { parser.take($0) }?["etag"]
        }
        #expect(Set((UInt8(0x21)...0xFF).map { tag([0x61, $0, 0x62]) }).count == 0xFF - 0x20)
        #expect(tag(Array("\u{E9}".utf8)) == "\"\u{E9}\"")
    }
}
