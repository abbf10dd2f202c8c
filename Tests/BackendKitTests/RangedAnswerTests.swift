import BackendKit
import CurlTransfer
import ImageModel
import Testing

/// What the head of an answer says about later reads.
@Suite struct RangedAnswerTests {
    private func object(status: Int, _ fields: (name: String, value: String)...) throws -> ObjectHead {
        let all = ReadRequest(path: "image", range: ByteRange(first: 0, last: 99))
        return try RangedAnswer(ResponseHead(status: status, fields: fields)).object(for: all).get()
    }

    private func failure(status: Int, _ fields: (name: String, value: String)...) -> AttemptFailure.Reason? {
        let range = ReadRequest(path: "image", range: ByteRange(first: 10, last: 99))
        switch RangedAnswer(ResponseHead(status: status, fields: fields)).object(for: range) {
        case .success: return nil
        case .failure(let failure): return failure.reason
        }
    }

    @Test("A 206 that ends before the end of the requested range is accepted", arguments: [0, 50, 98])
    func shortAnswer(last: Int64) throws {
        for total in ["100", "1000000", "*"] {
            let head = try object(status: 206, ("content-range", "bytes 0-\(last)/\(total)"))
            #expect(head.first == 0 && head.count == last + 1 && head.total == Int64(total))
        }
    }

    @Test(
        "A 206 that starts at another offset or ends after the requested range is rejected",
        arguments: [
            "bytes 9-99/1000", "bytes 11-99/1000", "bytes 0-99/1000", "bytes 10-100/1000", "bytes 10-100/*", "bytes 20-10/1000",
            "bytes 10-99/99", "bytes */1000", "",
        ])
    func inconsistentAnswer(range: String) {
        #expect(failure(status: 206, ("content-range", range)) == .wrongRange)
    }

    @Test(
        "A content coding that changes no bytes is ignored",
        arguments: [
            ["identity"], ["Identity"], [""], ["aws-chunked"], ["AWS-Chunked"], ["identity, aws-chunked"], [",, ,"],
            ["aws-chunked,"], ["\taws-chunked ,\tidentity"], ["identity", "aws-chunked"],
        ])
    func noCoding(values: [String]) throws {
        for status in [200, 206] {
            let fields =
                values.map { (name: "content-encoding", value: $0) } + [(name: "content-range", value: "bytes 0-99/100")]
            let read = ReadRequest(path: "image", range: ByteRange(first: 0, last: 99))
            let head = try RangedAnswer(ResponseHead(status: status, fields: fields)).object(for: read).get()
            #expect(head.coding == nil)
        }
    }

    @Test(
        "A body labelled gzip is taken as it is, and its coding is reported",
        arguments: [["gzip"], ["GZip"], ["x-gzip"], ["aws-chunked, gzip"], ["identity", "x-gzip"], ["gzip,gzip"]])
    func labelOfGzip(values: [String]) throws {
        let fields = values.map { (name: "content-encoding", value: $0) } + [(name: "content-length", value: "100")]
        let read = ReadRequest(path: "image", range: nil)
        let head = try RangedAnswer(ResponseHead(status: 200, fields: fields)).object(for: read).get()
        #expect(head.coding?.hasSuffix("gzip") == true && head.total == 100)
    }

    @Test(
        "Any other content coding is rejected, wherever it stands in the list",
        arguments: [["br"], ["deflate"], ["zstd"], ["gzip, br"], ["aws-chunked", "compress"], ["identity;q=1"], ["gzip br"]])
    func otherCoding(values: [String]) {
        for status in [200, 206] {
            let fields =
                values.map { (name: "content-encoding", value: $0) } + [(name: "content-range", value: "bytes 0-99/100")]
            let read = ReadRequest(path: "image", range: ByteRange(first: 0, last: 99))
            let answer = RangedAnswer(ResponseHead(status: status, fields: fields)).object(for: read)
            #expect(answer == .failure(AttemptFailure(.encoded, .location, detail: answer.detail)))
        }
    }

    @Test("A 206 shows that the server answers ranges")
    func aPartialAnswerShowsThatRangesAreAnswered() throws {
        #expect(try object(status: 206, ("content-range", "bytes 0-99/100")).answersRanges)
    }

    @Test(
        "A 200 shows that the server answers ranges if its Accept-Ranges lists bytes",
        arguments: ["bytes", "Bytes", "lines, bytes", "lines,\tbytes "])
    func acceptRangesShowsThatRangesAreAnswered(units: String) throws {
        #expect(try object(status: 200, ("accept-ranges", units)).answersRanges)
    }

    @Test(
        "A 200 without bytes in Accept-Ranges does not show that the server answers ranges",
        arguments: ["none", "", "megabytes"])
    func withoutAcceptRangesNothingIsShown(units: String) throws {
        #expect(try !object(status: 200, ("accept-ranges", units)).answersRanges)
        #expect(try !object(status: 200).answersRanges)
    }

    private static let date = (name: "date", value: "Wed, 25 Nov 2026 10:00:00 GMT")

    @Test(
        "Retry-After is read as seconds or as a date, and limited to one hour",
        arguments: [
            ("17", 17), ("90000", 3600), ("Wed, 25 Nov 2026 10:00:40 GMT", 40), ("Wednesday, 25-Nov-26 10:01:00 GMT", 60),
            ("Thu, 26 Nov 2026 10:00:00 GMT", 3600),
        ])
    func retryAfterIsReadAsSecondsOrAsADate(value: String, seconds: Int) {
        let head = ResponseHead(status: 503, fields: [Self.date, ("retry-after", value)])
        #expect(RangedAnswer(head).failure.retryAfter == .seconds(seconds))
        #expect(RangedAnswer(head).failure.reason == .throttled)
    }

    @Test("A 503 without a usable Retry-After is a server error")
    func a503WithoutRetryAfterIsAServerError() {
        let words = ["soon", "0", "-3", "Wed, 25 Nov 2026 09:59:00 GMT"]
        for fields in words.map({ [("retry-after", $0), Self.date] }) + [[("retry-after", Self.date.value)], []] {
            #expect(RangedAnswer(ResponseHead(status: 503, fields: fields)).failure.reason == .serverError, "\(fields)")
        }
    }
}

extension Result<ObjectHead, AttemptFailure> {
    fileprivate var detail: String {
        if case .failure(let failure) = self { failure.detail } else { "" }
    }
}

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
