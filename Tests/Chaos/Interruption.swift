import Foundation
import Synchronization

/// Handles interruption by a signal: after the first one the running downloads end and the results are printed; the second one
/// calls `exit`, which stops the processes that were started.
enum Interruption {
    private static let count = Atomic(0)

    /// Whether a signal has arrived.
    static var isAsked: Bool { count.load(ordering: .relaxed) > 0 }

    /// Installs the signal handlers.
    static func listen() {
        _ = isAsked  // initialised here, not in the handler
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { exit(128 + number) }
            }
        }
    }
}
