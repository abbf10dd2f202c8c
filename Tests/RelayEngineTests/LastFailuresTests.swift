import BackendKit
import Foundation
import ImageModel
import Testing

@testable import RelayEngine

@Suite struct LastFailuresTests {
    @Test("The latest failure of each location is kept, up to a limit")
    func theLatestFailureOfEachLocationIsKept() {
        var failures = LastFailures(limit: 10)
        let locations = (0..<25).map { _ in LocationID() }
        let failure = AttemptFailure(.missing, .location, detail: "gone")
        for (second, location) in locations.enumerated() {
            failures.record(failure, of: location, at: Date(timeIntervalSince1970: Double(second)))
        }
        let known = locations.filter { failures[$0] != nil }
        #expect((5...10).contains(known.count))
        #expect(known == Array(locations.suffix(known.count)))
        let later = AttemptFailure(.reset, .backend, detail: "cut")
        failures.record(later, of: locations[24], at: Date(timeIntervalSince1970: 99))
        #expect(failures[locations[24]] == LastFailure(time: Date(timeIntervalSince1970: 99), failure: later))
    }
}
