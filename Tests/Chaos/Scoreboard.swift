import ChaosPlan
import Foundation
import Synchronization

/// Collects the observations of the lanes and prints their progress.
final class Scoreboard: Sendable {
    private struct State {
        var observations: [Observation] = []
        var tally = Tally()
        var saidAt = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let name: String
    private let count: Int

    /// - Parameter count: how many downloads are planned.
    init(_ name: String, of count: Int) {
        self.name = name
        self.count = count
    }

    func add(_ observation: Observation) {
        let line: String? = state.withLock { state in
            state.observations.append(observation)
            state.tally.add(observation)
            guard ContinuousClock.now - state.saidAt > .seconds(10) || state.observations.count == count else { return nil }
            state.saidAt = .now
            let counts = Observation.Outcome.allCases.map { "\(state.tally.count($0)) \($0.rawValue)" }
            return "\(name): \(state.observations.count) of \(count): \(counts.joined(separator: ", "))"
        }
        if let line { say(line) }
    }

    func skip(_ count: Int, because reason: String) {
        say("\(name): \(count) downloads are left out: \(reason)")
        state.withLock { $0.tally.skip(count, because: reason) }
    }

    var tally: Tally { state.withLock { $0.tally } }
    var observations: [Observation] { state.withLock { $0.observations } }
}

/// Prints a line to standard error.
func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
