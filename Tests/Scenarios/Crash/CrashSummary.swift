/// What came of all rounds, for people.
struct CrashSummary: Sendable, CustomStringConvertible {
    var seed: UInt64 = 0
    var rounds = 0
    var acknowledged = 0
    var openDone = 0
    var openUndone = 0
    var refused = 0
    var downloads = 0
    var bytes: Int64 = 0
    var cutDownloads = 0
    var cutReads = 0
    var halfReads = 0
    var proofs = 0
    var manifests = 0
    var crashesWhileStarting = 0
    var failedStarts = 0
    var startTimes: [Duration] = []
    var contradictions: [Contradiction] = []

    var description: String {
        func count(_ kind: Contradiction.Kind) -> Int { contradictions.count { $0.kind == kind } }
        let times = startTimes.sorted()
        func time(_ part: Double) -> String {
            times.isEmpty ? "–" : "\(Int(times[Int(Double(times.count - 1) * part)] / .milliseconds(1))) ms"
        }
        return """
            Crashes, seed \(seed)
              rounds (kill -9 under load)            \(rounds)
              and again while it started             \(crashesWhileStarting)
              starts that failed                     \(failedStarts)
              changes answered, all checked          \(acknowledged)
              changes not answered: done, not done   \(openDone), \(openUndone)
              changes refused                        \(refused)
              lost                                   \(count(.lost))
              wrong                                  \(count(.wrong))
              downloads complete, and their bytes    \(downloads), \(bytes)
              downloads that a crash cut             \(cutDownloads)
              locations that a crash left verifying  \(cutReads)
              unfinished reads on record, each round \(halfReads)
              proofs in the histories                \(proofs)
              manifests compared, chunk by chunk     \(manifests)
              from exec to ready, p50, p99           \(time(0.5)), \(time(0.99))
            """
    }
}
