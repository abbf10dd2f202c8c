/// The limits that a run must keep.
package struct Thresholds: Sendable {
    /// How many downloads must have been hit, and their minimum median size.
    package var downloads: Int
    package var medianSize: Int64
    /// How many failovers in mid-stream Baton must have counted.
    package var failovers: Int64
    /// The share of bytes that may be fetched beyond those delivered.
    package var extraShare = 0.05
    /// The longest gap, in seconds, of 99 % of the downloads whose server ended its response; nil for no limit.
    package var gapAfterEnd: Double?
    /// The same for downloads whose server fell silent.
    package var gapAfterSilence: Double?
    /// How many connections may be kept for the next request.
    package var keptConnections = 100
    /// How many more descriptors may be open after the run than before.
    package var descriptorGrowth = 0
    /// By how much the memory of the last quarter may exceed that of the second.
    package var memoryGrowth: Double

    package init(
        downloads: Int = 10_000, medianSize: Int64 = 8 << 20, failovers: Int64 = 5_000, gapAfterEnd: Double? = nil,
        gapAfterSilence: Double? = nil, memoryGrowth: Double = 0.1
    ) {
        self.downloads = downloads
        self.medianSize = medianSize
        self.failovers = failovers
        self.gapAfterEnd = gapAfterEnd
        self.gapAfterSilence = gapAfterSilence
        self.memoryGrowth = memoryGrowth
    }

    /// The thresholds of a full run.
    /// - Parameter stallTimeout: Baton's, in seconds.
    package static func full(stallTimeout: Double) -> Thresholds {
        Thresholds(gapAfterEnd: 0.1, gapAfterSilence: stallTimeout + 0.1)
    }

    /// The thresholds of a short run: those that depend neither on its length nor on the machine.
    package static let quick: Thresholds = {
        var thresholds = Thresholds(downloads: 1, failovers: 1, memoryGrowth: 1)
        // On a busy machine reads of suspect locations outlast such a short run.
        thresholds.descriptorGrowth = 16
        return thresholds
    }()

    /// The thresholds that were missed, each as a sentence.
    package func missed(by tally: Tally, _ server: ServerFindings) -> [String] {
        var missed: [String] = []
        func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) { if !holds { missed.append(sentence()) } }
        expect(tally.hitCount >= downloads, "\(tally.hitCount) downloads were hit, \(downloads) are required")
        expect(tally.medianSize >= medianSize, "the median download had \(tally.medianSize) bytes, \(medianSize) are required")
        for (outcome, what) in [(Observation.Outcome.failed, "failed"), (.wrong, "were silently wrong"), (.hung, "hung")] {
            expect(tally.count(outcome) == 0, "\(tally.count(outcome)) downloads \(what)")
        }
        expect(
            server.midStreamFailovers >= failovers,
            "Baton counted \(server.midStreamFailovers) failovers in mid-stream, \(failovers) are required")
        expect(
            Double(server.extraBytes) <= extraShare * Double(server.relayedBytes),
            "\(server.extraBytes) extra bytes for \(server.relayedBytes)")
        expect(server.openRelays == 0, "\(server.openRelays) relays are open after all clients have disconnected")
        expect(
            server.descriptorsAfter <= server.descriptorsBefore + descriptorGrowth,
            "\(server.descriptorsAfter) descriptors after the run, \(server.descriptorsBefore) before it")
        expect(
            server.keptConnections <= keptConnections,
            "\(server.keptConnections) connections are kept, \(keptConnections) are allowed")
        expect(server.isAlive, "Baton exited during the run")
        let (early, late) = (server.memory(inQuarter: 1), server.memory(inQuarter: 3))
        expect(
            Double(late) <= Double(early) * (1 + memoryGrowth),
            "memory grew from \(early) bytes in the second quarter to \(late) in the last")
        for (sign, limit, what) in [(Fault.Sign.end, gapAfterEnd, "ended"), (.silence, gapAfterSilence, "fell silent")] {
            guard let limit, let gap = tally.joined(sign).gap(percentile: 99) else { continue }
            expect(
                gap <= limit,
                "the gap's p99 is \(Int(gap * 1000)) ms where a server \(what), \(Int(limit * 1000)) are allowed")
        }
        return missed
    }
}
