import Foundation
import Testing

/// A short run of what `make chaos` does at length.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ChaosScenarios {
    @Test func downloadsAreExactWhileTheirStoresBreak() async throws {
        let program = URL(filePath: BatonCommand.path).deletingLastPathComponent().appending(path: "chaos").path
        let run = try await BatonCommand.run(
            ["--quick", "--seed", "3", "--downloads", "60", "--clients", "4"], program: program)
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
        #expect(run.output.contains("All marks are reached."))
    }
}
