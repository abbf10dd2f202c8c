import Foundation
import Testing

/// A short run of what `make chaos` does at length.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ChaosScenarios {
    @Test("Downloads are exact while their stores break")
    func downloadsAreExactWhileTheirStoresBreak() async throws {
        _ = try await Self.chaos("--seed", "3", "--downloads", "60", "--clients", "4")
    }

    /// The run itself wants a failover, and nothing else makes one.
    @Test("Downloads are exact while reads of their files fail", .enabled(if: Preloading.isPossible))
    func downloadsAreExactWhileReadsOfTheirFilesFail() async throws {
        let output = try await Self.chaos("--seed", "1", "--downloads", "2", "--fault", "file: disk error")
        #expect(output.contains("| file: disk error | 2 | 2 |"))
    }

    @Test("Downloads are exact while reads of their files are slow", .enabled(if: Preloading.isPossible))
    func downloadsAreExactWhileReadsOfTheirFilesAreSlow() async throws {
        let output = try await Self.chaos(
            "--seed", "3", "--downloads", "4", "--fault", "file: slow disk", "--fault", "file: disk error")
        let row = try #require(output.split(separator: "\n").first { $0.hasPrefix("| file: slow disk |") })
        // The last column: the longest gap, which is no shorter than a read.
        let gap = try #require(row.split(separator: "|").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }.last)
        #expect(gap >= 200, "\(row)")
    }

    private static func chaos(_ arguments: String...) async throws -> String {
        let program = URL(filePath: BatonCommand.path).deletingLastPathComponent().appending(path: "chaos").path
        let run = try await BatonCommand.run(["--quick"] + arguments, program: program)
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
        #expect(run.output.contains("All thresholds are met."))
        return run.output
    }
}
