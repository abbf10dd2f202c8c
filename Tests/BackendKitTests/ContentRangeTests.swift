import BackendKit
import Testing

@Suite struct ContentRangeTests {
    @Test("A complete Content-Range is parsed")
    func aCompleteContentRangeIsParsed() {
        let range = ContentRange("bytes 100-199/1000")
        #expect(range?.first == 100)
        #expect(range?.last == 199)
        #expect(range?.total == 1000)
    }

    @Test("A Content-Range with an unknown total is parsed")
    func unknownTotal() {
        let range = ContentRange("bytes 100-199/*")
        #expect(range?.first == 100 && range?.last == 199)
        #expect(range != nil && range?.total == nil)
    }

    @Test(
        "Any other Content-Range is rejected",
        arguments: [
            "", "bytes", "bytes 0-1", "bytes */100", "bytes */*", "bytes 5-4/*", "bytes 0-1/**", "bytes 0-1/",
            "bytes 0-9223372036854775807/*", "bytes 5-4/10", "bytes 0-10/10", "bytes -1/10", "bytes 0-/10",
            "items 0-1/10", "bytes 0-1/10/", "bytes +0-1/10", "bytes 0-1/99999999999999999999", "bytes 0 - 1/10", "0-1/10",
            "bytes 0-1-2/10",
        ])
    func anyOtherContentRangeIsRejected(_ text: String) { #expect(ContentRange(text) == nil) }
}
