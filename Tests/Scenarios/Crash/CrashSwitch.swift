import Foundation
import Synchronization

/// Kills a server at the planned moment.
final class CrashSwitch: Sendable {
    private struct State {
        var left: Int
        var isPulled = false
        var isDelivered = false
    }

    private let processID: Int32
    private let moment: CrashMoment
    private let state: Mutex<State>

    init(_ moment: CrashMoment, processID: Int32) {
        self.moment = moment
        self.processID = processID
        let count =
            switch moment {
            case .answered(let count), .downloaded(let count), .written(let count), .checkpointed(let count),
                .readHalf(let count), .delivered(let count):
                count
            }
        state = Mutex(State(left: count))
    }

    /// Whether the server has been killed, or is being killed now.
    var isPulled: Bool { state.withLock { $0.isPulled } }

    /// Kills it now if it has not been killed before: another process may have its number then.
    func pull() {
        state.withLock { state in
            guard !state.isPulled else { return }
            state.isPulled = true
            kill(processID, SIGKILL)
        }
    }

    func answered() { if case .answered = moment { count(1) } }
    func downloaded(_ bytes: Int) { if case .downloaded = moment { count(bytes) } }
    func written() {
        switch moment {
        case .written: count(1)
        case .delivered: if state.withLock({ $0.isDelivered }) { count(1) }
        default: break
        }
    }
    func delivered() { state.withLock { $0.isDelivered = true } }
    func checkpointed() { if case .checkpointed = moment { count(1) } }
    func readHalf() { if case .readHalf = moment { count(1) } }

    private func count(_ count: Int) {
        let isDue = state.withLock { state in
            state.left -= count
            return state.left <= 0
        }
        if isDue { pull() }
    }
}
