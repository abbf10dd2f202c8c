import ChaosPlan
import Testing

@Suite struct TallyTests {
    static let plans = Schedule(seed: 1, counts: [.scripted: 400], clients: 1).downloads

    static func plan(_ fault: Fault = .reset, _ client: ClientKind = .whole) throws -> PlannedDownload {
        try #require(plans.first { $0.fault == fault && $0.client == client })
    }

    static func tally(
        _ outcomes: [Observation.Outcome], isHit: Bool = true, _ fault: Fault = .reset, gap: Double = 0.01
    ) throws -> Tally {
        var tally = Tally()
        for outcome in outcomes {
            tally.add(Observation(try plan(fault), outcome, received: 1, isHit: isHit, gap: gap))
        }
        return tally
    }

    /// Findings that meet all thresholds.
    static var sound: ServerFindings {
        var findings = ServerFindings()
        findings.midStreamFailovers = 10
        findings.relayedBytes = 1000
        findings.memory = [100, 100, 100, 100]
        return findings
    }

    static let lenient = Thresholds(downloads: 1, medianSize: 0, failovers: 1, gapAfterEnd: 0.1, gapAfterSilence: 1.1)

    @Test("A percentile is the smallest value that this share of the gaps does not exceed")
    func aPercentileIsTheSmallestValueNotExceeded() throws {
        var tally = Tally()
        for gap in (1...100).reversed() {
            tally.add(Observation(try Self.plan(), .exact, received: 1, isHit: true, gap: Double(gap)))
        }
        let row = try #require(tally.rows[.reset])
        #expect(row.gap(percentile: 50) == 50)
        #expect(row.gap(percentile: 99) == 99)
        #expect(row.gap(percentile: 100) == 100)
        #expect(try Self.tally([.exact]).rows[.reset]?.gap(percentile: 50) == 0.01)
        #expect(Tally.Row().gap(percentile: 50) == nil)
    }

    @Test("Gaps of slow clients, missed injections and failed downloads do not count")
    func onlyGapsOfExactDownloadsThatWereHitCount() throws {
        var tally = Tally()
        tally.add(Observation(try Self.plan(.reset, .slow), .exact, received: 1, isHit: true, gap: 9))
        tally.add(Observation(try Self.plan(), .exact, received: 1, isHit: false, gap: 9))
        tally.add(Observation(try Self.plan(), .failed, received: 1, isHit: true, gap: 9))
        #expect(tally.rows[.reset]?.gaps == [])
        #expect(tally.rows[.reset]?.missed == 1)
    }

    @Test("An abandoned download counts neither as hit nor as an oddity")
    func anAbandonedDownloadIsNeitherHitNorAnOddity() throws {
        let tally = try Self.tally([.abandoned, .exact, .failed])
        #expect(tally.hitCount == 2)
        #expect(tally.oddities.map(\.outcome) == [.failed])
        #expect(tally.count(.abandoned) == 1)
    }

    @Test("A good run misses no threshold")
    func aGoodRunMissesNoThreshold() throws {
        #expect(Self.lenient.missed(by: try Self.tally([.exact]), Self.sound) == [])
    }

    @Test("One bad download misses a threshold", arguments: [Observation.Outcome.failed, .wrong, .hung])
    func oneBadDownloadMissesAThreshold(outcome: Observation.Outcome) throws {
        #expect(Self.lenient.missed(by: try Self.tally([.exact, outcome]), Self.sound).count == 1)
    }

    @Test("Each threshold of the server can be missed")
    func eachThresholdOfTheServerCanBeMissed() throws {
        let changes: [(inout ServerFindings) -> Void] = [
            { $0.midStreamFailovers = 0 }, { $0.extraBytes = 51 }, { $0.openRelays = 1 }, { $0.descriptorsAfter = 1 },
            { $0.keptConnections = 101 },
            { $0.isAlive = false }, { $0.memory = [100, 100, 100, 111] },
        ]
        for change in changes {
            var findings = Self.sound
            change(&findings)
            #expect(Self.lenient.missed(by: try Self.tally([.exact]), findings).count == 1)
        }
    }

    @Test("A response that ends and a server that falls silent have separate gap limits")
    func eachSignHasItsOwnGapLimit() throws {
        #expect(Self.lenient.missed(by: try Self.tally([.exact], .reset, gap: 0.2), Self.sound).count == 1)
        #expect(Self.lenient.missed(by: try Self.tally([.exact], .stall, gap: 1.05), Self.sound) == [])
        #expect(Self.lenient.missed(by: try Self.tally([.exact], .stall, gap: 1.2), Self.sound).count == 1)
        #expect(Self.lenient.missed(by: try Self.tally([.exact], .pause, gap: 9), Self.sound) == [])
    }

    @Test("Downloads that were not hit do not count towards the required number")
    func downloadsThatWereNotHitDoNotCount() throws {
        let thresholds = Thresholds(downloads: 2, medianSize: 0, failovers: 1)
        var tally = try Self.tally([.exact])
        tally.add(Observation(try Self.plan(), .exact, received: 1, isHit: false, gap: nil))
        #expect(thresholds.missed(by: tally, Self.sound).count == 1)
    }

    @Test("A report has a row for each fault and one for all")
    func aReportHasARowForEachFaultAndOneForAll() throws {
        let report = Report(of: try Self.tally([.exact, .wrong])).text.split(separator: "\n")
        #expect(report.count == 4)
        #expect(report[2] == "| reset | 2 | 1 | 0 | 1 | 0 | 0 | 10 | 10 | 10 |")
        #expect(report[3].hasPrefix("| all | 2 | 1 | 0 | 1 | 0 | 0 |"))
    }
}
