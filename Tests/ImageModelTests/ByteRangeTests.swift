import Foundation
import ImageModel
import Testing

@Suite struct ByteRangeTests {
    @Test("Empty and negative ranges are rejected")
    func emptyAndNegativeRangesAreRejected() {
        #expect(ByteRange(first: 0, last: 0)?.count == 1)
        #expect(ByteRange(first: 1, last: 0) == nil)
        #expect(ByteRange(first: -1, last: 5) == nil)
        #expect(ByteRange(whole: 0) == nil)
        #expect(ByteRange(whole: 5)?.description == "0-4")
    }

    @Test("Remainders and prefixes stay inside the range")
    func remaindersAndPrefixesStayInsideTheRange() throws {
        let range = try #require(ByteRange(first: 10, last: 19))
        #expect(range.remainder(from: 5) == range)
        #expect(range.remainder(from: 15)?.description == "15-19")
        #expect(range.remainder(from: 20) == nil)
        #expect(range.prefix(3).description == "10-12")
        #expect(range.prefix(100) == range)
        #expect(range.prefix(0).count == 1)
        #expect(ByteRange(whole: 20)?.isWhole(of: 20) == true)
        #expect(!range.isWhole(of: 20))
    }

    @Test("Ranges stay paused after a failed verification and during an integrity hold")
    func rangesPauseAfterAFailedVerification() throws {
        let now = Date(timeIntervalSince1970: 1_000_000)
        let digest = try Digest(.md5, hex: String(repeating: "0", count: 32))
        var representation = Representation(
            image: ImageID(), format: Format(disk: .raw, container: .bare), size: 1, identity: digest)
        #expect(representation.servesRanges(at: now))
        representation.lastMismatchAt = now
        #expect(!representation.servesRanges(at: now.addingTimeInterval(Representation.rangePause - 1)))
        #expect(representation.servesRanges(at: now.addingTimeInterval(Representation.rangePause)))
        representation.isOnIntegrityHold = true
        #expect(!representation.servesRanges(at: now.addingTimeInterval(1e9)))
    }
}
