import BackendKit
import CurlTransfer
import ImageModel
import Testing

/// What the head of an answer says of later reads.
@Suite struct RangedAnswerTests {
    private func object(status: Int, _ fields: (name: String, value: String)...) throws -> ObjectHead {
        let all = ReadRequest(path: "image", range: ByteRange(first: 0, last: 99))
        return try RangedAnswer(ResponseHead(status: status, fields: fields)).object(for: all).get()
    }

    @Test func aPartShowsThatRangesAreAnswered() throws {
        #expect(try object(status: 206, ("content-range", "bytes 0-99/100")).answersRanges)
    }

    @Test(arguments: ["bytes", "Bytes", "lines, bytes", "lines,\tbytes "])
    func everythingDoesNotUnlessTheServerSaysSo(units: String) throws {
        #expect(try object(status: 200, ("accept-ranges", units)).answersRanges)
    }

    @Test(arguments: ["none", "", "megabytes"])
    func everythingWithoutAWordShowsNothing(units: String) throws {
        #expect(try !object(status: 200, ("accept-ranges", units)).answersRanges)
        #expect(try !object(status: 200).answersRanges)
    }

    private static let date = (name: "date", value: "Wed, 25 Nov 2026 10:00:00 GMT")

    @Test(arguments: [
        ("17", 17), ("90000", 3600), ("Wed, 25 Nov 2026 10:00:40 GMT", 40), ("Wednesday, 25-Nov-26 10:01:00 GMT", 60),
        ("Thu, 26 Nov 2026 10:00:00 GMT", 3600),
    ])
    func aRestIsAskedForInSecondsOrAsADate(value: String, seconds: Int) {
        let head = ResponseHead(status: 503, fields: [Self.date, ("retry-after", value)])
        #expect(RangedAnswer(head).failure.retryAfter == .seconds(seconds))
        #expect(RangedAnswer(head).failure.reason == .throttled)
    }

    @Test func whatIsNoRestIsTheServersFailure() {
        let words = ["soon", "0", "-3", "Wed, 25 Nov 2026 09:59:00 GMT"]
        for fields in words.map({ [("retry-after", $0), Self.date] }) + [[("retry-after", Self.date.value)], []] {
            #expect(RangedAnswer(ResponseHead(status: 503, fields: fields)).failure.reason == .serverError, "\(fields)")
        }
    }
}
