import ImageModel
import Testing

@testable import HTTPServing

/// What a request's Range asks for of an image of 1000 bytes.
@Suite struct RangeHeaderTests {
    private func bytes(_ first: Int64, _ last: Int64) -> RangeHeader? { ByteRange(first: first, last: last).map { .range($0) } }

    @Test(
        "A range may end inside the image or beyond its end, or count from the end",
        arguments: [
            ("bytes=0-0", 0, 0), ("bytes=0-999", 0, 999), ("bytes=0-", 0, 999), ("bytes=999-", 999, 999),
            ("bytes=10-5000", 10, 999), ("bytes=10-99999999999999999999", 10, 999), ("bytes=-1", 999, 999),
            ("bytes=-999", 1, 999), ("bytes=-1000", 0, 999), ("bytes=-1001", 0, 999), ("bytes=-99999999999999999999", 0, 999),
            ("Bytes = 5-6", 5, 6),
        ] as [(String, Int64, Int64)])
    func satisfiableRanges(text: String, first: Int64, last: Int64) {
        #expect(RangeHeader(text, size: 1000) == bytes(first, last))
    }

    @Test(
        "A malformed range, or one without a byte of the image, cannot be satisfied",
        arguments: [
            "bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=-", "bytes=", "bytes", "bytes=5-4", "bytes=+1-2", "bytes=1",
            "bytes=1-2-3", "bytes=a-b",
        ])
    func unsatisfiableRanges(text: String) { #expect(RangeHeader(text, size: 1000) == .unsatisfiable) }

    @Test("Another unit asks for the whole, and several ranges are recognised")
    func otherRanges() {
        #expect(RangeHeader(nil, size: 1000) == .whole)
        #expect(RangeHeader("items=0-1", size: 1000) == .whole)
        #expect(RangeHeader("bytes=0-1,2-3", size: 1000) == .several)
    }

    @Test("A legacy Content-Range must name the image's own size or none")
    func legacyRanges() {
        #expect(RangeHeader(contentRange: "bytes 1-2/1000", size: 1000) == bytes(1, 2))
        #expect(RangeHeader(contentRange: "bytes 1-2/*", size: 1000) == bytes(1, 2))
        for text in ["bytes 1-2/999", "bytes 1-2/1001", "bytes 1-2/", "bytes 1-2", "items 1-2/1000", "bytes=1-2/1000"] {
            #expect(RangeHeader(contentRange: text, size: 1000) == .unsatisfiable, "\(text)")
        }
    }
}
