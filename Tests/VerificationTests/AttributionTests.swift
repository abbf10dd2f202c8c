import ImageModel
import Testing
import Verification

@Suite struct AttributionTests {
    let x: Attribution.Reading
    let y: Attribution.Reading

    init() throws {
        x = .other(.init(size: 9, digest: try Digest(.md5, hex: String(repeating: "0", count: 32))))
        y = .other(.init(size: 9, digest: try Digest(.md5, hex: String(repeating: "1", count: 32))))
    }

    @Test("A read that matches clears the suspect")
    func aReadThatMatchesClearsTheSuspect() { #expect(Attribution(suspect: .matched, others: [x, .matched]) == .clear) }

    @Test("Two equal wrong reads quarantine even the only location")
    func twoEqualWrongReadsQuarantineEvenTheOnlyLocation() {
        #expect(Attribution(suspect: x, others: [.matched]) == .quarantine)
        #expect(Attribution(suspect: x, others: [y, .unsettled]) == .quarantine)
        #expect(Attribution(suspect: x, others: []) == .quarantine)
    }

    @Test("Two locations that agree against the declared digest are a digest conflict")
    func twoLocationsThatAgreeAreADigestConflict() {
        #expect(Attribution(suspect: x, others: [y, x]) == .recordDeclaredConflict)
    }

    @Test("Reads that contradict each other decide nothing")
    func readsThatContradictEachOtherDecideNothing() {
        #expect(Attribution(suspect: .unsettled, others: [.matched]) == .undecided)
    }

    @Test("The fourth quarantine on a backend within ten minutes is stopped")
    func theFourthQuarantineWithinTenMinutesIsStopped() {
        var limit = QuarantineLimit()
        let start = ContinuousClock.now
        var answers = [0, 60, 120, 599].map { limit.allows(BackendID("a"), at: start + .seconds($0)) }
        #expect(answers == [true, true, true, false])
        answers = [limit.allows(BackendID("b"), at: start + .seconds(599))]
        answers.append(limit.allows(BackendID("a"), at: start + .seconds(600)))
        #expect(answers == [true, true])
    }
}
