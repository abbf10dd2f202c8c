import Testing

@testable import BatonClient

@Suite struct DownloadOriginsTests {
    private func text(_ origins: DownloadOrigins) -> [String] { origins.parts.map { "\($0.source) \($0.first)-\($0.last)" } }

    @Test("Consecutive bytes from one source are one part")
    func consecutiveBytesFromOneSourceAreOnePart() {
        var origins = DownloadOrigins()
        origins.extend(to: 10, from: .kept)
        origins.extend(to: 20, from: .direct(backend: "a"))
        origins.extend(to: 30, from: .direct(backend: "a"))
        origins.extend(to: 30, from: .direct(backend: "b"))
        origins.extend(to: 31, from: .stream)
        #expect(text(origins) == ["kept 0-9", "direct(backend: \"a\") 10-29", "stream 30-30"])
        #expect(origins.hasDirect)
    }

    @Test("Bytes that are cut off lose their source")
    func bytesThatAreCutOffLoseTheirSource() {
        var origins = DownloadOrigins()
        origins.extend(to: 10, from: .kept)
        origins.extend(to: 20, from: .direct(backend: "a"))
        origins.cut(to: 15)
        #expect(text(origins) == ["kept 0-9", "direct(backend: \"a\") 10-14"])
        origins.cut(to: 10)
        #expect(text(origins) == ["kept 0-9"] && !origins.hasDirect)
        origins.cut(to: 0)
        origins.extend(to: 5, from: .stream)
        #expect(text(origins) == ["stream 0-4"])
    }

    @Test("A reopened file keeps the known sources of its bytes")
    func aReopenedFileKeepsTheSourcesOfItsBytes() {
        var course = DownloadState(isDirect: true)
        course.opened(0)
        course.streamed(upTo: 100, isAgain: false)
        course.opened(100)
        #expect(text(course.origins) == ["stream 0-99"])
        course.opened(40)
        #expect(text(course.origins) == ["stream 0-39"])
        course.streamed(upTo: 60, isAgain: true)
        #expect(text(course.origins) == ["stream 0-59"])
        course.leaveDirect("x")
        course.leaveDirect("x")
        #expect(!course.isDirect && course.problems == ["x"])
    }

    @Test("A rate limit holds until the time for the received bytes has passed")
    func aRateLimitHoldsUntilItsTimeHasPassed() {
        let start = ContinuousClock.now
        var limit = RateLimit(1000, startedAt: start)
        // The time of a loop's round may be from just before.
        #expect(!limit.isAhead(at: start) && !limit.isAhead(at: start - .milliseconds(1)))
        limit.receive(2500)
        #expect(limit.isAhead(at: start + .seconds(2)) && !limit.isAhead(at: start + .milliseconds(2500)))
        var none = RateLimit(nil, startedAt: start)
        none.receive(.max)
        #expect(!none.isAhead(at: start))
    }
}
