import ArgumentParser
import ChaosPlan
import Foundation
import Servers

/// `make chaos`.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Downloads through Baton while its stores break, and counts what comes of it.",
        discussion: "Prints tables, and ends with 1 when a mark was missed. docs/reliability.md says what is done and why.")

    @Option(help: "What the schedule is made from; any number if not given.")
    var seed = UInt64.random(in: 1...999_999)
    @Option(help: "How many downloads.")
    var downloads = 11_000
    @Option(help: "How many clients of scripted origins at a time.")
    var clients = 10
    @Option(help: "The most that one answer of a scripted origin gets in a second, in MiB; 0 for no limit.")
    var pace: Int64 = 32
    @Flag(help: "Only look at what does not depend on the length of the run nor on the machine.")
    var quick = false
    @Flag(help: "Strike nginx, HAProxy and aria2 as well, and Baton beside them, with what all of them know.")
    var peers = false
    @Option(help: "How many downloads each of those gets.")
    var peerDownloads = 400
    @Option(help: "Only this fault, as the table calls it; may be said several times.")
    var fault: [Fault] = []
    @Option(help: "Also write every observation to this file.")
    var json: String?

    func validate() throws {
        guard downloads > 0, clients > 0, pace >= 0, peerDownloads > 0 else {
            throw ValidationError("Counts must be positive.")
        }
        guard !faults.isEmpty else { throw ValidationError("Disks do not fail under sanitizers: nothing can be preloaded.") }
    }

    func run() async throws {
        try OwnNetwork.enter()
        Interruption.listen()
        say("seed \(seed)")
        if !Preloading.isPossible { say("disks that fail are left out: they do not get along with sanitizers") }
        let schedule = Schedule(
            seed: seed, counts: Schedule.counts(of: downloads, for: faults), clients: clients
        ) { _, fault in faults.contains(fault) }
        guard schedule.flaws.isEmpty else { throw ValidationError(schedule.flaws.joined(separator: "\n")) }
        let sites = Set(schedule.lanes.map(\.site)).union(peers ? [.nginx] : [])
        let fleet = try await Fleet(pace: pace == 0 ? nil : pace << 20, sites: sites)
        let watch = ServerWatch(fleet.baton.process)
        var missed = try await storm(schedule, fleet, watch)
        if peers { missed += try await besidePeers(fleet) }
        try await watch.stop()
        print(missed.isEmpty ? "\nAll marks are reached." : "\nMissed:\n" + missed.map { "- \($0)\n" }.joined())
        if !missed.isEmpty { throw ExitCode(1) }
    }

    /// The faults that are to strike and can.
    private var faults: [Fault] {
        (fault.isEmpty ? Fault.allCases : fault).filter { Preloading.isPossible || !FailingDisk.faults.contains($0) }
    }

    /// The run itself.
    /// - Returns: the marks that were missed.
    private func storm(_ schedule: Schedule, _ fleet: Fleet, _ watch: ServerWatch) async throws -> [String] {
        let run = try await Run(schedule, at: fleet.places, storm: fleet.storm, name: "storm")
        let scoreboard = Scoreboard("Baton", of: schedule.downloads.count)
        for (site, reason) in fleet.unavailable {
            let count = schedule.lanes.filter { $0.site == site }.reduce(0) { $0 + $1.downloads.count }
            scoreboard.skip(count, because: "\(site.rawValue): \(reason)")
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
        let marks = quick ? Marks.quick : Marks.full(stallTimeout: BatonContender.stallTimeout)
        print("\nseed \(seed), \(downloads) downloads, \(clients) clients, \(Int(duration / .seconds(1))) s")
        print("stall_timeout \(Int(BatonContender.stallTimeout)) s, scripted origins at \(pace) MiB/s an answer\n")
        print(Report(of: tally).text)
        print(Self.text(of: findings, tally))
        for oddity in tally.oddities.prefix(20) { explain(oddity, run, fleet.baton) }
        if let json { try JSONEncoder().encode(scoreboard.observations).write(to: URL(filePath: json)) }
        return marks.missed(by: tally, findings)
    }

    /// The same faults, one contender after the other.
    private func besidePeers(_ fleet: Fleet) async throws -> [String] {
        let faults: Set<Fault> = [.reset, .earlyEnd, .stall, .corruptByte, .nginxKilled, .nginxStopped]
        let schedule = Schedule(
            seed: seed, counts: [.scripted: peerDownloads * 4 / 5, .nginx: peerDownloads / 5], clients: max(1, clients / 2)
        ) { client, fault in client == .whole && faults.contains(fault) }
        let run = try await Run(schedule, at: fleet.places, storm: fleet.storm, name: "peers")
        var tallies: [(name: String, tally: Tally)] = []
        func measure(_ contender: some Contender) async throws {
            say("\(contender.name): reading \(run.images.count) images undisturbed")
            try await run.prepare(contender)
            if contender is BatonContender { try await fleet.baton.waitForManifests() }
            let scoreboard = Scoreboard(contender.name, of: schedule.downloads.count)
            await run.run(contender, scoreboard)
            tallies.append((contender.name, scoreboard.tally))
        }
        try await measure(fleet.baton)
        do {
            for kind in ProxyContender.Kind.allCases { try await measure(ProxyContender(kind, for: Array(run.images.values))) }
            try await measure(Aria2Contender())
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
            \(tally.struckCount) downloads were struck between their first and their last byte; their median has \
            \(tally.medianSize) bytes
            Baton counted \(findings.midStreamFailovers) failovers in mid-stream, \(findings.relayedBytes >> 20) MiB relayed, \
            \(findings.extraBytes >> 10) KiB (\(String(format: "%.3f", share)) %) fetched beyond that
            descriptors \(findings.descriptorsBefore) before and \(findings.descriptorsAfter) after, and \
            \(findings.keptConnections) connections kept for the next request; \(findings.openRelays) relays open
            resident memory by quarter of the run: \(memory.joined(separator: ", ")) MiB

            """
    }

    private func explain(_ oddity: Observation, _ run: Run, _ baton: BatonContender) {
        print("download \(oddity.number) (\(oddity.fault.rawValue), \(oddity.client.rawValue)): \(oddity.remark)")
        for plan in run.schedule.downloads where plan.number == oddity.number {
            print("  \(plan.strikes.map { "\($0.act) at \($0.offset)" })\(plan.isLasting ? ", lasting" : "")")
        }
        for line in oddity.request.map({ baton.log(of: $0) }) ?? [] { print("  \(line)") }
    }
}

extension Fault: ExpressibleByArgument {}
