import ImageModel
import LocationUpkeep
import Testing

@Suite struct BlameTests {
    let x: BlameVerdict.Reading
    let y: BlameVerdict.Reading

    init() throws {
        x = .other(.init(size: 9, digest: try Digest(.md5, hex: String(repeating: "0", count: 32))))
        y = .other(.init(size: 9, digest: try Digest(.md5, hex: String(repeating: "1", count: 32))))
    }

    @Test func aMatchingReadClears() { #expect(BlameVerdict(accused: .matched, others: [x, .matched]) == .clear) }

    @Test func twoEqualWrongReadsQuarantineEvenTheOnlyLocation() {
        #expect(BlameVerdict(accused: x, others: [.matched]) == .quarantine)
        #expect(BlameVerdict(accused: x, others: [y, .unsettled]) == .quarantine)
        #expect(BlameVerdict(accused: x, others: []) == .quarantine)
    }

    @Test func twoLocationsThatAgreeAgainstTheDeclaredDigestAreNotToBlame() {
        #expect(BlameVerdict(accused: x, others: [y, x]) == .distrustDeclared)
    }

    @Test func readsThatContradictEachOtherDecideNothing() {
        #expect(BlameVerdict(accused: .unsettled, others: [.matched]) == .undecided)
    }

    @Test func theFourthQuarantineOfABackendWithinTenMinutesIsStopped() {
        var limit = QuarantineLimit()
        let start = ContinuousClock.now
        var answers = [0, 60, 120, 599].map { limit.allows(BackendID("a"), at: start + .seconds($0)) }
        #expect(answers == [true, true, true, false])
        answers = [limit.allows(BackendID("b"), at: start + .seconds(599))]
        answers.append(limit.allows(BackendID("a"), at: start + .seconds(600)))
        #expect(answers == [true, true])
    }
}
