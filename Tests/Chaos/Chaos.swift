import ArgumentParser
import ChaosPlan
import Foundation
import Servers

/// `make chaos`.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Downloads through Baton while its stores break, and counts the outcomes.",
        discussion: "Prints tables, and exits with 1 if a threshold is missed. docs/reliability.md describes the faults.")

    @Option(help: "The seed of the schedule; a random number if not given.")
    var seed = UInt64.random(in: 1...999_999)
    @Option(help: "How many downloads.")
    var downloads = 11_000
    @Option(help: "How many clients of scripted origins at a time.")
    var clients = 10
    @Option(help: "The rate limit of one response of a scripted origin, in MiB per second; 0 for no limit.")
    var pace: Int64 = 32
    @Flag(help: "Check only the thresholds that depend neither on the length of the run nor on the machine.")
    var quick = false
    @Flag(help: "Run faults that all of them know through nginx, HAProxy and aria2 as well, beside Baton.")
    var peers = false
    @Option(help: "How many downloads each of those gets.")
    var peerDownloads = 400
    @Option(help: "Only this fault, by its name in the table; may be repeated.")
    var fault: [Fault] = []
    @Option(help: "Also write every observation to this file.")
    var json: String?

    func validate() throws {
        guard downloads > 0, clients > 0, pace >= 0, peerDownloads > 0 else {
            throw ValidationError("Counts must be positive.")
        }
        guard !faults.isEmpty else { throw ValidationError("Disk faults are not available under sanitizers.") }
    }

    func run() async throws {
        try OwnNetwork.enter()
        Interruption.listen()
        say("seed \(seed)")
        if !Preloading.isPossible { say("disk faults are left out: they do not work with sanitizers") }
        let schedule = Schedule(
            seed: seed, counts: Schedule.counts(of: downloads, for: faults), clients: clients
        ) { _, fault in faults.contains(fault) }
        guard schedule.flaws.isEmpty else { throw ValidationError(schedule.flaws.joined(separator: "\n")) }
        let kinds = Set(schedule.lanes.map(\.target)).union(peers ? [.nginx] : [])
        let fleet = try await Fleet(pace: pace == 0 ? nil : pace << 20, kinds: kinds)
        let watch = ServerWatch(fleet.baton.process)
        var missed = try await runFaults(schedule, fleet, watch)
        if peers { missed += try await besidePeers(fleet) }
        try await watch.stop()
        print(missed.isEmpty ? "\nAll thresholds are met." : "\nMissed:\n" + missed.map { "- \($0)\n" }.joined())
        if !missed.isEmpty { throw ExitCode(1) }
    }

    /// The requested faults that can be injected here.
    private var faults: [Fault] {
        (fault.isEmpty ? Fault.allCases : fault).filter { Preloading.isPossible || !FailingDisk.faults.contains($0) }
    }

    /// Runs the schedule against Baton.
    /// - Returns: the thresholds that were missed.
    private func runFaults(_ schedule: Schedule, _ fleet: Fleet, _ watch: ServerWatch) async throws -> [String] {
        let run = try await Run(schedule, at: fleet.targets, injector: fleet.injector, name: "faults")
        let scoreboard = Scoreboard("Baton", of: schedule.downloads.count)
        for (kind, reason) in fleet.unavailable {
            let count = schedule.lanes.filter { $0.target == kind }.reduce(0) { $0 + $1.downloads.count }
            scoreboard.skip(count, because: "\(kind.rawValue): \(reason)")
        }
        say("reading \(run.images.count) images undisturbed")
        try await run.prepare(fleet.baton)
        try await fleet.baton.waitForManifests()
        try await watch.waitUntilQuiet()
        let base = try await watch.baseline()
        let started = ContinuousClock.now
        let memory = Task { await watch.memory() }
        await run.run(fleet.baton, scoreboard)
        memory.cancel()
        let duration = ContinuousClock.now - started
        try await watch.waitUntilQuiet()
        let findings = try await watch.findings(since: base, memory: await memory.value)
        let tally = scoreboard.tally
        let thresholds = quick ? Thresholds.quick : Thresholds.full(stallTimeout: BatonPeer.stallTimeout)
        print("\nseed \(seed), \(downloads) downloads, \(clients) clients, \(Int(duration / .seconds(1))) s")
        print("stall_timeout \(Int(BatonPeer.stallTimeout)) s, scripted origins at \(pace) MiB/s an answer\n")
        print(Report(of: tally).text)
        print(Self.text(of: findings, tally))
        for oddity in tally.oddities.prefix(20) { explain(oddity, run, fleet.baton) }
        if let json { try JSONEncoder().encode(scoreboard.observations).write(to: URL(filePath: json)) }
        return thresholds.missed(by: tally, findings)
    }

    /// Runs the same faults against one peer after the other.
    private func besidePeers(_ fleet: Fleet) async throws -> [String] {
        let faults: Set<Fault> = [.reset, .earlyEnd, .stall, .corruptByte, .nginxKilled, .nginxStopped]
        let schedule = Schedule(
            seed: seed, counts: [.scripted: peerDownloads * 4 / 5, .nginx: peerDownloads / 5], clients: max(1, clients / 2)
        ) { client, fault in client == .whole && faults.contains(fault) }
        let run = try await Run(schedule, at: fleet.targets, injector: fleet.injector, name: "peers")
        var tallies: [(name: String, tally: Tally)] = []
        func measure(_ peer: some Peer) async throws {
            say("\(peer.name): reading \(run.images.count) images undisturbed")
            try await run.prepare(peer)
            if peer is BatonPeer { try await fleet.baton.waitForManifests() }
            let scoreboard = Scoreboard(peer.name, of: schedule.downloads.count)
            await run.run(peer, scoreboard)
            tallies.append((peer.name, scoreboard.tally))
        }
        try await measure(fleet.baton)
        do {
            for kind in ProxyPeer.Kind.allCases { try await measure(ProxyPeer(kind, for: Array(run.images.values))) }
            try await measure(Aria2Peer())
        } catch let error as Unavailable {
            say("left out: \(error.reason)")
        }
        print("\nThe same faults beside others, \(schedule.downloads.count) downloads each\n")
        print(Report(of: tallies).text)
        return tallies.prefix(1).flatMap { name, tally in
            [Observation.Outcome.failed, .wrong, .hung].filter { tally.count($0) > 0 }.map {
                "beside the others: \(tally.count($0)) downloads of \(name) ended \($0.rawValue)"
            }
        }
    }

    private static func text(of findings: ServerFindings, _ tally: Tally) -> String {
        let share = 100 * Double(findings.extraBytes) / Double(max(1, findings.relayedBytes))
        let memory = (0..<4).map { "\(findings.memory(inQuarter: $0) >> 20)" }
        return """
            \(tally.hitCount) downloads were hit between their first and their last byte; their median size is \
            \(tally.medianSize) bytes
            Baton counted \(findings.midStreamFailovers) failovers in mid-stream, \(findings.relayedBytes >> 20) MiB relayed, \
            \(findings.extraBytes >> 10) KiB (\(String(format: "%.3f", share)) %) fetched beyond that
            descriptors \(findings.descriptorsBefore) before and \(findings.descriptorsAfter) after, and \
            \(findings.keptConnections) connections kept for the next request; \(findings.openRelays) relays open
            resident memory by quarter of the run: \(memory.joined(separator: ", ")) MiB

            """
    }

    private func explain(_ oddity: Observation, _ run: Run, _ baton: BatonPeer) {
        print("download \(oddity.number) (\(oddity.fault.rawValue), \(oddity.client.rawValue)): \(oddity.remark)")
        for plan in run.schedule.downloads where plan.number == oddity.number {
            print("  \(plan.injections.map { "\($0.act) at \($0.offset)" })\(plan.isLasting ? ", lasting" : "")")
        }
        for line in oddity.request.map({ baton.log(of: $0) }) ?? [] { print("  \(line)") }
    }
}

extension Fault: ExpressibleByArgument {}
