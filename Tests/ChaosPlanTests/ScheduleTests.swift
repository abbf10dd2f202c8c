import ChaosPlan
import Testing

@Suite struct ScheduleTests {
    static let seeds: [UInt64] = [1, 2, 3, 77, 4711, .max]

    static func schedule(_ seed: UInt64, downloads: Int = 2_000) -> Schedule {
        Schedule(seed: seed, counts: Schedule.counts(of: downloads), clients: 7)
    }

    @Test("It is a function of its seed", arguments: seeds) func itIsAFunctionOfItsSeed(seed: UInt64) {
        #expect(Self.schedule(seed) == Self.schedule(seed))
        #expect(Self.schedule(seed) != Self.schedule(seed ^ 1))
    }

    @Test("Every download is struck in the middle and keeps a good location", arguments: seeds)
    func everyDownloadIsStruckInTheMiddleAndKeepsAGoodLocation(seed: UInt64) {
        let schedule = Self.schedule(seed)
        #expect(schedule.flaws.isEmpty)
        for download in schedule.downloads {
            #expect(!download.strikes.isEmpty)
            #expect(download.strikes.count < download.fault.site.locations)
            for strike in download.strikes {
                #expect(download.range.lowerBound < strike.offset && strike.offset < download.range.upperBound - 1)
            }
        }
    }

    @Test("Of many downloads every fault and every client has its share")
    func ofManyDownloadsEveryFaultAndEveryClientHasItsShare() {
        let schedule = Self.schedule(5, downloads: 11_000)
        #expect(schedule.downloads.count == 11_000)
        #expect(Set(schedule.downloads.map(\.fault)) == Set(Fault.allCases))
        #expect(Set(schedule.downloads.map(\.client)) == Set(ClientKind.allCases))
        #expect(schedule.downloads.map { Int64($0.range.count) }.sorted()[5_500] >= 8 << 20)
        #expect(schedule.downloads.count { $0.client != .abandoning } >= 10_200)
        #expect(schedule.downloads.map(\.number).sorted() == Array(0..<11_000))
    }

    @Test("What is not accepted is not drawn")
    func whatIsNotAcceptedIsNotDrawn() {
        let schedule = Schedule(seed: 9, counts: [.scripted: 200, .nginx: 50], clients: 3) { client, fault in
            client == .whole && fault != .reset
        }
        #expect(schedule.downloads.count == 250)
        #expect(schedule.downloads.allSatisfy { $0.client == .whole && $0.fault != .reset })
        #expect(Set(schedule.lanes.map(\.site)) == [.nginx, .scripted])
    }

    @Test("The sites of some faults share all downloads")
    func theSitesOfSomeFaultsShareAllDownloads() {
        #expect(Schedule.counts(of: 6, for: [.fileError, .fileSlow]) == [.file: 6])
        #expect(Schedule.counts(of: 42, for: [.nginxKilled, .fileGone]) == [.nginx: 20, .file: 22])
        #expect(Schedule.counts(of: 1000) == [Site: Int](uniqueKeysWithValues: Site.allCases.map { ($0, $0.share) }))
    }

    @Test("Lanes share no images")
    func lanesShareNoImages() {
        let numbers = Self.schedule(3).lanes.map(\.number)
        #expect(Set(numbers).count == numbers.count)
    }
}
