import Foundation
import Synchronization

/// What a person does who has seen enough: the first signal lets what runs come to its end, and what has come of it be told; the
/// second one ends the program by way of its exit, which stops what was started.
enum Interruption {
    private static let count = Atomic(0)

    /// Whether somebody has seen enough.
    static var isAsked: Bool { count.load(ordering: .relaxed) > 0 }

    /// From now on signals mean that.
    static func listen() {
        _ = isAsked  // made here, and not in the handler
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { exit(128 + number) }
            }
        }
    }
}
