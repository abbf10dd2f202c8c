import BackendKit
import Downloads
import Foundation
import ImageCatalog
import ImageModel
import LocationLifecycle
import OriginRead
import Testing

@testable import Verification

@Suite struct FullReadStateTests {
    private let now = ContinuousClock.now
    private static let reset = AttemptFailure(.reset, .backend, detail: "played")

    private func course(
        size: Int64? = 100, maximumRange: Int64? = nil, isDigestDeclared: Bool = false, progress: ReadProgress? = nil
    ) -> FullReadState {
        FullReadState(
            expectedSize: size, maximumRange: maximumRange, isDigestDeclared: isDigestDeclared, progress: progress, seed: 1)
    }

    private func head(_ first: Int64 = 0, total: Int64? = 100, _ validator: String = "v") -> ObjectHead {
        ObjectHead(first: first, count: total.map { $0 - first }, total: total, validator: Validator(validator))
    }

    private func take(_ count: Int64, _ course: inout FullReadState, _ head: ObjectHead) throws {
        _ = try course.acceptHead(head).get()
        course.advance(by: count)
    }

    @Test("An object of undeclared size is given up when it exceeds the limit, stated or not")
    func sizeLimit() throws {
        var course = FullReadState(expectedSize: nil, sizeLimit: 100, maximumRange: nil, progress: nil, seed: 1)
        guard case .failure(let failure) = course.acceptHead(head(total: 101)) else {
            Issue.record("101 bytes are too many")
            return
        }
        #expect(failure.reason == .wrongSize && failure.detail.contains("uploads.max_size"))
        try take(100, &course, head(total: nil))
        #expect(course.excess == nil)
        course.advance(by: 1)
        #expect(course.excess?.reason == .wrongSize)
    }

    @Test("A whole read makes one request")
    func aWholeReadMakesOneRequest() throws {
        var course = course()
        #expect(course.range == ByteRange(first: 0, last: 99))
        try take(100, &course, head())
        #expect(course.ended(at: now) == .done)
        #expect(course.size == 100 && course.validator == Validator("v"))
    }

    @Test("Bounded reads follow each other to the end")
    func boundedReadsFollowEachOtherToTheEnd() throws {
        var course = course(maximumRange: 40)
        var requested: [ByteRange?] = []
        for _ in 0..<3 {
            let range = try #require(course.range)
            requested.append(range)
            try take(range.count, &course, ObjectHead(first: range.first, count: range.count, total: 100, validator: nil))
            if range.last == 99 {
                #expect(course.ended(at: now) == .done)
            } else {
                #expect(course.ended(at: now) == .ask(notBefore: now))
            }
        }
        #expect(requested == [ByteRange(first: 0, last: 39), ByteRange(first: 40, last: 79), ByteRange(first: 80, last: 99)])
    }

    @Test("Answers shorter than requested follow each other at once to the end", arguments: [1, 30, 99] as [Int64])
    func shortAnswers(cap: Int64) throws {
        var course = course()
        while course.position < 100 {
            let position = course.position
            #expect(course.range == ByteRange(first: position, last: 99))
            let count = min(cap, 100 - position)
            let bodyWindow = try course.acceptHead(ObjectHead(first: position, count: count, total: 100, validator: nil)).get()
            #expect(bodyWindow.take == count)
            course.advance(by: count)
            #expect(course.ended(at: now) == (course.position == 100 ? .done : .ask(notBefore: now)))
        }
    }

    @Test("An answer that breaks after some bytes is continued at once and is no failure")
    func breaksAfterBytes() throws {
        var course = course()
        for _ in 0..<3 * FullReadState.timeout {
            try take(1, &course, head(course.position))
            #expect(course.failed(Self.reset, at: now) == .ask(notBefore: now))
        }
        #expect(course.position == Int64(3 * FullReadState.timeout))
    }

    @Test("An object whose validator always changes is read to the end, unpinned, if its digest is declared")
    func validatorsThatNeverStay() throws {
        var course = course(isDigestDeclared: true)
        var attempts = 0
        while course.position < 100, attempts < 50 {
            attempts += 1
            let head = head(course.position, total: 100, "v\(attempts)")
            switch course.acceptHead(head) {
            case .success: course.advance(by: min(25, 100 - course.position))
            case .failure(let failure): if case .fail = course.failed(failure, at: now) { break }
            }
        }
        #expect(course.position == 100)
        #expect(course.ended(at: now) == .done)
        #expect(course.validator == nil, "no single object was read in full")
    }

    @Test("A weak entity tag with the same text is the same object")
    func weakTags() throws {
        var course = course()
        try take(30, &course, head(0, total: 100, "\"v\""))
        try take(70, &course, head(30, total: 100, "W/\"v\""))
        #expect(course.ended(at: now) == .done)
    }

    @Test("Bytes labelled gzip are read only where size and digest are declared")
    func labelOfGzip() {
        let head = ObjectHead(first: 0, count: 100, total: 100, validator: nil, coding: "gzip")
        func reason(_ course: FullReadState) -> AttemptFailure.Reason? {
            var course = course
            if case .failure(let failure) = course.acceptHead(head) { return failure.reason }
            return nil
        }
        #expect(reason(course(isDigestDeclared: true)) == nil)
        #expect(reason(course(isDigestDeclared: false)) == .encoded)
        #expect(reason(course(size: nil, isDigestDeclared: true)) == .encoded)
    }

    @Test("After a break a read continues where it stopped")
    func afterABreakAReadContinuesWhereItStopped() throws {
        var course = course()
        try take(30, &course, head())
        guard case .ask(let time) = course.failed(Self.reset, at: now) else { return #expect(Bool(false), "no retry") }
        #expect(time - now < .seconds(1))
        #expect(course.range == ByteRange(first: 30, last: 99))
    }

    @Test("A server without ranges is read from the start, and the known bytes are skipped")
    func aServerWithoutRangesIsReadFromTheStart() throws {
        var course = course(progress: ReadProgress(position: 30, size: 100, validator: Validator("v"), digests: []))
        let bodyWindow = try course.acceptHead(head()).get()
        #expect(bodyWindow.skip == 30 && bodyWindow.take == 70)
    }

    @Test("A whole answer to a bounded range is read to its end")
    func everythingForABoundedRange() throws {
        var course = course(maximumRange: 40)
        try take(40, &course, ObjectHead(first: 0, count: 40, total: 100, validator: Validator("v")))
        #expect(course.ended(at: now) == .ask(notBefore: now))
        #expect(course.range == ByteRange(first: 40, last: 79))
        #expect(try course.acceptHead(head()).get() == BodyWindow(skip: 40, take: 60))
        course.advance(by: 60)
        #expect(course.ended(at: now) == .done)
    }

    @Test("A changed object is read again from the start, and given up when it keeps changing")
    func aChangedObjectIsReadAgain() throws {
        var course = course(progress: ReadProgress(position: 30, size: 100, validator: Validator("v"), digests: []))
        guard case .failure(let failure) = course.acceptHead(head(30, total: 100, "w")) else {
            return #expect(Bool(false), "another object passed for the known one")
        }
        #expect(course.failed(failure, at: now) == .restart)
        #expect(course.range == ByteRange(first: 0, last: 99))
        for _ in 0..<2 {
            try take(10, &course, head(0, total: 100, "w"))
            guard case .failure(let failure) = course.acceptHead(head(10, total: 100, "x")) else {
                return #expect(Bool(false), "another object passed for the known one")
            }
            if case .fail = course.failed(failure, at: now) { return }
        }
        #expect(Bool(false), "an object that keeps changing is read for ever")
    }

    @Test("An object of another size is reported")
    func anotherSizeIsReported() {
        var course = course()
        guard case .failure(let failure) = course.acceptHead(head(total: 99)) else {
            return #expect(Bool(false), "another size passed")
        }
        #expect(course.failed(failure, at: now) == .fail(failure))
        #expect(course.otherSize == 99)
    }

    @Test("An unknown size is found out, and an empty object is requested without a range")
    func anUnknownSizeIsFoundOut() throws {
        var course = course(size: nil)
        #expect(course.range?.first == 0)
        let unsatisfiable = AttemptFailure(.wrongSize, .location, detail: "416")
        #expect(course.failed(unsatisfiable, at: now) == .ask(notBefore: now))
        #expect(course.range == nil)
        _ = try course.acceptHead(head(total: 0)).get()
        #expect(course.ended(at: now) == .done)
        #expect(course.size == 0)
    }

    /// A head without the size of the whole: of everything, or of a part.
    private func unstated(_ first: Int64 = 0, count: Int64? = nil, _ validator: String = "v") -> ObjectHead {
        ObjectHead(first: first, count: count, total: nil, validator: Validator(validator))
    }

    private static let unsatisfiable = AttemptFailure(.wrongSize, .location, detail: "416")

    @Test("An object's end shows its size where the server does not state it", arguments: [nil, 100] as [Int64?])
    func anUnstatedSizeShowsAtTheEnd(size: Int64?) throws {
        var course = course(size: size)
        let bodyWindow = try course.acceptHead(unstated()).get()
        #expect(bodyWindow.skip == 0 && bodyWindow.take > 100)
        course.advance(by: 100)
        #expect(course.excess == nil && course.size == nil)
        #expect(course.ended(at: now) == .done)
        #expect(course.size == 100 && !course.isSizeStated)
    }

    @Test("Ranges of an object of unknown size are requested until there are no more", arguments: [nil, 100] as [Int64?])
    func partsOfAnUnstatedWhole(size: Int64?) throws {
        var course = course(size: size, maximumRange: 50)
        for first in [Int64(0), 50] {
            #expect(course.range == ByteRange(first: first, last: first + 49))
            try take(50, &course, unstated(first, count: 50))
            #expect(course.ended(at: now) == .ask(notBefore: now))
        }
        #expect(course.range == ByteRange(first: 100, last: 149), "the range ends at the declared end")
        #expect(course.failed(Self.unsatisfiable, at: now) == .done)
        #expect(course.size == 100)
    }

    @Test("An object larger than declared is given up at the first byte too many")
    func anUnstatedSizeThatIsTooLarge() throws {
        var course = course()
        try take(101, &course, unstated())
        let excess = try #require(course.excess)
        #expect(course.failed(excess, at: now) == .fail(excess))
        #expect(course.otherSize == 101)
    }

    @Test("An answer that ends early counts as cut off, unless the next one ends at the same byte")
    func anUnstatedSizeThatIsTooSmall() throws {
        var course = course()
        try take(60, &course, unstated())
        guard case .ask = course.ended(at: now) else { return #expect(Bool(false), "not requested again") }
        let bodyWindow = try course.acceptHead(unstated()).get()
        #expect(bodyWindow.skip == 60)
        course.advance(by: 20)
        guard case .ask = course.ended(at: now) else { return #expect(Bool(false), "it ended elsewhere") }
        _ = try course.acceptHead(unstated()).get()
        #expect(course.ended(at: now) == .fail(.otherSize(80, expected: 100)))
        #expect(course.otherSize == 80)
    }

    @Test("A size that was stated once holds for later answers that state none")
    func aSizeThatIsStatedOnce() throws {
        var course = course(size: nil)
        try take(30, &course, head())
        _ = course.failed(Self.reset, at: now)
        try take(70, &course, unstated(30, count: 70))
        #expect(course.ended(at: now) == .done)
        #expect(course.size == 100 && course.isSizeStated)
    }

    @Test("Another object of unknown size is read again from the start")
    func anotherObjectOfUnstatedSize() throws {
        var course = course(size: nil)
        try take(30, &course, unstated())
        _ = course.failed(Self.reset, at: now)
        guard case .failure(let failure) = course.acceptHead(unstated(0, count: nil, "w")) else {
            return #expect(Bool(false), "another object passed for the known one")
        }
        #expect(course.failed(failure, at: now) == .restart)
        try take(10, &course, unstated(0, count: nil, "w"))
        #expect(course.ended(at: now) == .done)
    }

    @Test("Refused credentials end the read")
    func refusedCredentialsEndTheRead() {
        var course = course()
        let denied = AttemptFailure(.unauthorized, .credentials, detail: "401")
        #expect(course.failed(denied, at: now) == .fail(denied))
    }

    @Test("A read that yields to a download does not count as failed")
    func aReadThatYieldsDoesNotCountAsFailed() throws {
        var course = course()
        try take(30, &course, head())
        for _ in 0..<2 * FullReadState.timeout { #expect(course.yielded(at: now) == .ask(notBefore: now)) }
        #expect(course.range == ByteRange(first: 30, last: 99))
        #expect(course.failed(Self.reset, at: now) != .fail(Self.reset))
    }

    @Test("A server that asks for a long wait does not hold up the reader")
    func aServerThatAsksForALongWaitHoldsUpNoReader() {
        func throttled(_ rest: Duration) -> AttemptFailure {
            AttemptFailure(.throttled, .throttled, retryAfter: rest, detail: "played")
        }
        var course = course()
        #expect(course.failed(throttled(.seconds(20)), at: now) == .ask(notBefore: now + .seconds(20)))
        #expect(course.failed(throttled(.seconds(21)), at: now) == .fail(throttled(.seconds(21))))
        var other = self.course()
        guard case .ask(let time) = other.failed(throttled(.zero), at: now) else { return #expect(Bool(false), "no retry") }
        #expect(time > now)
    }

    @Test("Several failures without progress end a read, and progress resets their count")
    func failuresWithoutProgressEndARead() throws {
        var course = course()
        for _ in 0..<3 * FullReadState.timeout {
            try take(1, &course, head(course.position))
            guard case .ask = course.failed(Self.reset, at: now) else {
                return #expect(Bool(false), "gave up in spite of progress")
            }
        }
        var steps: [FullReadState.Step] = []
        for _ in 0..<FullReadState.timeout { steps.append(course.failed(Self.reset, at: now)) }
        #expect(steps.last == .fail(Self.reset))
        let missing = AttemptFailure(.missing, .location, detail: "gone")
        var other = self.course()
        #expect(other.failed(missing, at: now) == .fail(missing), "a missing object was requested again")
    }
}

@Suite struct ReadPaceTests {
    @Test("A read waits for the time of bytes beyond the rate")
    func aReadWaitsForBytesBeyondTheRate() {
        let pace = ReadRateLimiter(bytesPerSecond: 1000)
        let start = ContinuousClock.now
        #expect(pace.allowsMore(at: start))
        pace.take(2000, at: start)
        #expect(!pace.allowsMore(at: start + .seconds(1.9)))
        #expect(pace.allowsMore(at: start + .seconds(2)))
        pace.take(500, at: start + .seconds(10))
        #expect(!pace.allowsMore(at: start + .seconds(10.4)), "time that was not used is not saved up")
        #expect(pace.allowsMore(at: start + .seconds(10.5)))
    }

    @Test("Reads that take bytes at the same time wait for all of them")
    func severalReadsAtOnePace() {
        let pace = ReadRateLimiter(bytesPerSecond: 1000)
        let start = ContinuousClock.now
        for _ in 0..<3 { pace.take(1000, at: start) }
        #expect(!pace.allowsMore(at: start + .seconds(2.9)))
        #expect(pace.allowsMore(at: start + .seconds(3)))
    }

    @Test("A read without a limit never waits")
    func aReadWithoutALimitNeverWaits() {
        for pace in [ReadRateLimiter(bytesPerSecond: nil), ReadRateLimiter(bytesPerSecond: 0)] {
            pace.take(1 << 40, at: .now)
            #expect(pace.allowsMore(at: .now))
        }
    }
}

@Suite struct ReadScheduleTests {
    private let schedule = ReadSchedule(recheck: .seconds(3600), missInterval: .seconds(60), scrubInterval: nil)
    private let start = Date(timeIntervalSince1970: 1_790_000_000)

    @Test("A quarantined location is read again after one hour, after six, and then daily")
    func quarantinedLocationsAreReadAgainLessOften() {
        let hours = (0..<4).map { schedule.recheck(after: $0, from: start).timeIntervalSince(start) / 3600 }
        #expect(hours == [1, 6, 24, 24])
    }

    @Test("A location that cannot be read is retried less and less often")
    func aLocationThatCannotBeReadIsRetriedLessOften() {
        let waits = [0, 1, 2, 20].map { schedule.retry(after: $0, from: start).timeIntervalSince(start) }
        #expect(waits == [30, 60, 120, 3600])
    }
}
