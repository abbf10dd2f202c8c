import Foundation

/// The number of crashes and the seed, from the environment.
struct CrashPlan: Sendable {
    /// How many times the server is killed: `BATON_CRASH_ROUNDS`, or 5.
    let rounds: Int
    /// The random seed: `BATON_CRASH_SEED`, or a random one. It determines the requests and the moments of the crashes; the scheduling of
    /// the threads is up to the system.
    let seed: UInt64

    static let given = CrashPlan()

    private init() {
        let environment = ProcessInfo.processInfo.environment
        rounds = environment["BATON_CRASH_ROUNDS"].flatMap { Int($0) } ?? 5
        seed = environment["BATON_CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    }

    /// A limit for a run that hangs, far above its usual duration.
    var minutes: Int { 3 + rounds / 4 }
}
