import FaultyOrigin
import Foundation
import LocationSelection
import Synchronization

/// One catalog through many crashes.
struct CrashRun {
    let fleet: CrashFleet
    var random: SplitMix64
    var recorder = CrashRecord()
    private(set) var baton: BatonProcess
    private(set) var summary = CrashSummary()

    /// Starts a server with the first locations.
    init(_ plan: CrashPlan, _ origins: CrashFleet.Origins) async throws {
        random = SplitMix64(seed: plan.seed)
        summary.seed = plan.seed
        let directory = try TestDirectory()
        let baton = try await BatonProcess(origins: origins.all, settings: CrashFleet.settings, in: directory)
        var ids: [String] = []
        for _ in origins.sound { ids.append(try await baton.addImage()) }
        for id in ids { recorder.created(id) }
        fleet = CrashFleet(in: directory, origins: origins, ids: ids)
        self.baton = baton
        for book in fleet.firstBooks() { _ = try await register(book) }
    }

    /// Loads the server, kills it at a random moment, starts it again, and checks the catalog.
    /// - Returns: everything that is lost or wrong.
    mutating func crash(in round: Int) async throws -> [Contradiction] {
        fleet.isRotten.set(round % 2 == 0)
        let moment = CrashMoment.random(using: &random)
        try await retireFreshImages(in: round)
        fleet.isHeld.set(moment.holdsReads)
        let paged = try await makePagedImage(in: round, isHeld: moment.holdsReads)
        let load = CrashLoad(
            fleet, round: round, seed: random.next(), port: baton.port,
            crash: CrashSwitch(moment, processID: baton.processID), recorder: recorder, paged: paged)
        try await load.run()
        _ = try await baton.exited()
        fleet.isHeld.set(false)
        recorder = load.recorder.withLock { $0 }
        let outcome = load.outcome.withLock { $0 }
        var flaws = outcome.flaws
        let left = try lookAtWhatIsLeft(&flaws)
        summary.take(left, LogTail(fleet.catalog + "-wal"), digests: fleet.pagedDigests)
        if Int.random(in: 0..<5, using: &random) == 0 { try await crashWhileStarting() }
        let last = try lookAtWhatIsLeft(&flaws)
        try await start()
        flaws += try await lookAtWhatBecameOfIt(since: last)
        take(outcome, flaws)
        return flaws.map { Contradiction(kind: $0.kind, about: "\($0.about) (\(moment))", text: $0.text) }
    }

    private mutating func take(_ outcome: CrashLoad.Outcome, _ flaws: [Contradiction]) {
        summary.rounds += 1
        (summary.acknowledged, summary.openDone, summary.openUndone) =
            (recorder.acknowledged, recorder.openDone, recorder.openUndone)
        summary.refused += outcome.refused
        summary.downloads += outcome.downloads
        summary.cutDownloads += outcome.cutDownloads
        summary.bytes += outcome.bytes
        summary.contradictions += flaws
    }

    /// Reads a copy of the file and its log as the crash left them, so that the server itself recovers them.
    private func lookAtWhatIsLeft(_ flaws: inout [Contradiction]) throws -> CatalogAccount {
        let copy = try TestDirectory()
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: fleet.catalog + suffix) {
            try FileManager.default.copyItem(atPath: fleet.catalog + suffix, toPath: copy.file("catalog.sqlite") + suffix)
        }
        let (account, damage) = try CatalogAccount.read(copy.file("catalog.sqlite"), readsOnly: false)
        flaws += damage.map { Contradiction(kind: .wrong, about: "the file after the crash", text: $0) }
        flaws += recorder.contradictions(with: account)
        return account
    }

    /// Starts the server and kills it before it listens, or at that moment.
    private mutating func crashWhileStarting() async throws {
        let moment = CrashMoment.written(.random(in: 1...12, using: &random))
        let watch = try WriteWatch(fleet.catalog)
        let (switches, found) = AsyncStream.makeStream(of: CrashSwitch.self)
        let watching = Task {
            for await crash in switches { try await onOwnThread { watch.tell(crash) } }
        }
        let crash = Mutex<CrashSwitch?>(nil)
        do {
            let started = try await BatonProcess(
                origins: fleet.origins, settings: CrashFleet.settings, in: fleet.directory
            ) { processID in
                let new = CrashSwitch(moment, processID: processID)
                crash.withLock { $0 = new }
                found.yield(new)
                found.finish()
            }
            crash.withLock { $0 }?.pull()
            _ = try await started.exited()
        } catch let error as BatonProcess.StartFailed {
            guard crash.withLock({ $0 })?.isPulled == true else { throw error }
        }
        try await watching.value
        summary.crashesWhileStarting += 1
    }

    private mutating func start() async throws {
        let begin = ContinuousClock.now
        do {
            baton = try await BatonProcess(origins: fleet.origins, settings: CrashFleet.settings, in: fleet.directory)
        } catch {
            summary.failedStarts += 1
            throw error
        }
        let ready = try await baton.send("GET", "/readyz")
        guard ready.status == 200 else { throw Unexpected(response: ready) }
        summary.startTimes.append(.now - begin)
    }

    private mutating func lookAtWhatBecameOfIt(since left: CatalogAccount) async throws -> [Contradiction] {
        let (account, damage) = try CatalogAccount.read(fleet.catalog, readsOnly: true)
        var flaws = damage.map { Contradiction(kind: .wrong, about: "the file after the start", text: $0) }
        for entry in left.entries { recorder.saw(entry.history, of: entry.url) }
        recorder.saw(left.manifests)
        flaws += recorder.contradictions(with: account) + account.flawsOfRecovery(from: left)
        recorder.settle(by: account)
        for image in fleet.images { flaws += try await download(image.id, image.content) }
        try await waitUntilSettled(account.unsettled)
        flaws += try await downloadFreshImages()
        let (settled, laterDamage) = try CatalogAccount.read(fleet.catalog, readsOnly: true)
        flaws += laterDamage.map { Contradiction(kind: .wrong, about: "the file after all reads have ended", text: $0) }
        flaws += recorder.contradictions(with: settled)
        recorder.settle(by: settled)
        (summary.manifests, summary.pagedManifests) =
            (recorder.withManifest.count, recorder.withManifest.values.count { $0 > 1 })
        summary.images = recorder.images.count - fleet.images.count
        summary.verifications = settled.entries.reduce(0) { $0 + $1.history.count { $0.event == "verified" } }
        return flaws
    }

    func download(_ image: String, _ content: PatternedContent) async throws -> [Contradiction] {
        let response = try await baton.download(image, of: content)
        guard response.status != 200 || !response.isComplete || response.firstWrongByte != nil else { return [] }
        let text = "a download ended with \(response.status) after \(response.count) bytes"
        return [Contradiction(kind: .wrong, about: image, text: text)]
    }

    /// Waits until the read of each of these locations has ended, or its probe; the test's time limit bounds the wait.
    private func waitUntilSettled(_ ids: Set<String>) async throws {
        var waiting = ids
        while !waiting.isEmpty {
            for id in waiting {
                let status = try await baton.location(id)["status"] as? String
                if status != "verifying", status != "pending" { waiting.remove(id) }
            }
        }
    }
}

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
