/// A printed summary of all rounds.
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
    var verifications = 0
    /// The images that were made, the manifests that were seen, and those with more than one page.
    var images = 0
    var manifests = 0
    var pagedManifests = 0
    /// How many kills came while an image had no manifest.
    var killsWithoutManifest = 0
    /// How many kills left a full read with saved digests of chunks, and one with a second page of them.
    var killsInRead = 0
    var killsInSecondPage = 0
    /// How many kills left an incomplete transaction in the log, and one with digests of chunks.
    var killsInTransaction = 0
    var killsInManifest = 0
    var crashesWhileStarting = 0
    var failedStarts = 0
    var startTimes: [Duration] = []
    var contradictions: [Contradiction] = []

    /// Counts the state that a kill left.
    /// - Parameter digests: the digests of the chunks of the image whose manifest has two pages.
    mutating func take(_ left: CatalogAccount, _ tail: LogTail, digests: [UInt8]) {
        cutReads += left.entries.count { $0.status == "verifying" }
        halfReads += left.entries.count { $0.progress != nil }
        // Only locations that may be read: one that was deleted in the middle of a read keeps that read's progress.
        let current = left.entries.filter { ["pending", "verifying", "active"].contains($0.status) }
        let pages = current.compactMap { $0.chunks?.pages.count }
        let without = Set(current.map(\.image)).subtracting(left.manifests.map(\.image))
        killsInRead += pages.contains { $0 > 0 } ? 1 : 0
        killsInSecondPage += pages.contains { $0 > 1 } ? 1 : 0
        killsWithoutManifest += without.isEmpty ? 0 : 1
        killsInTransaction += tail.pages.isEmpty ? 0 : 1
        killsInManifest += tail.holdsSome(of: digests, length: 32) ? 1 : 0
    }

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
              kills while images had no manifest     \(killsWithoutManifest)
              kills in a read with chunks, 2 pages   \(killsInRead), \(killsInSecondPage)
              kills within a write, of chunks        \(killsInTransaction), \(killsInManifest)
              verifications in the histories                \(verifications)
              images made in the rounds              \(images)
              manifests made, with several pages     \(manifests), \(pagedManifests)
              from exec to ready, p50, p99           \(time(0.5)), \(time(0.99))
            """
    }
}
