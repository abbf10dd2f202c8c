import LocationSelection
import Testing

@Suite struct BackendHealthTests {
    private let start = ContinuousClock.now

    @Test("A shorter wait that is requested later does not end a longer one")
    func waits() {
        var health = BackendHealth()
        health.rest(for: .seconds(60), at: start)
        health.rest(for: .seconds(1), at: start + .seconds(1))
        #expect(health.rests(at: start + .seconds(59)))
        #expect(!health.rests(at: start + .seconds(60)))
        health.rest(for: .seconds(90), at: start + .seconds(2))
        #expect(health.rests(at: start + .seconds(91)) && !health.rests(at: start + .seconds(92)))
    }

    @Test("A read that is too short does not count towards the throughput", arguments: [262_143, 262_144] as [Int64])
    func shortReads(bytes: Int64) {
        var health = BackendHealth()
        health.attemptEnded(
            AttemptMeasure(isComplete: true, firstByte: .milliseconds(1), bytes: bytes, active: .seconds(1)), at: start)
        #expect(health.throughput.value == (bytes < 262_144 ? nil : 262_144))
        #expect(health.firstByte.value == 0.001)
    }
}
