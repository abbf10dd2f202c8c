import FaultyOrigin
import Foundation
import ImageModel
import LocationSelection
import Synchronization
import Testing

/// SIGKILL at random moments under load. `make crash` does it 200 times with the release build.
@Suite(.serialized, .timeLimit(.minutes(CrashPlan.given.minutes)))
struct CrashScenarios {
    @Test("After SIGKILL at any moment the catalog has every answered change and nothing else")
    func afterSIGKILLTheCatalogHasEveryAnsweredChange() async throws {
        let plan = CrashPlan.given
        print("BATON_CRASH_SEED=\(plan.seed) BATON_CRASH_ROUNDS=\(plan.rounds)")
        let origins = try CrashFleet.Origins()
        defer { origins.stop() }
        var run = try await CrashRun(plan, origins)
        for round in 1...plan.rounds {
            if round % 20 == 0 { print("round \(round) of \(plan.rounds)") }
            let flaws = try await run.crash(in: round)
            for flaw in flaws { Issue.record("seed \(plan.seed), round \(round): \(flaw)") }
        }
        print(run.summary)
        #expect(run.summary.rounds == plan.rounds && run.summary.failedStarts == 0)
    }
}
