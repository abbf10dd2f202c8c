import Foundation

/// How often to crash, and with which seed, as the environment says.
struct CrashPlan: Sendable {
    /// How many times the server is killed: `BATON_CRASH_ROUNDS`, or a handful.
    let rounds: Int
    /// What chance begins with: `BATON_CRASH_SEED`, or any. It settles what is asked for and when the server is killed; how the threads
    /// take turns is the system's.
    let seed: UInt64

    static let given = CrashPlan()

    private init() {
        let environment = ProcessInfo.processInfo.environment
        rounds = environment["BATON_CRASH_ROUNDS"].flatMap { Int($0) } ?? 5
        seed = environment["BATON_CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    }

    /// A limit for a run that hangs, far from what it takes.
    var minutes: Int { 3 + rounds / 4 }
}
