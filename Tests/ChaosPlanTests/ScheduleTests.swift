import ChaosPlan
import Testing

@Suite struct ScheduleTests {
    static let seeds: [UInt64] = [1, 2, 3, 77, 4711, .max]

    static func schedule(_ seed: UInt64, downloads: Int = 2_000) -> Schedule {
        Schedule(seed: seed, counts: Schedule.counts(of: downloads), clients: 7)
    }

    @Test("A schedule is a function of its seed", arguments: seeds) func aScheduleIsAFunctionOfItsSeed(seed: UInt64) {
        #expect(Self.schedule(seed) == Self.schedule(seed))
        #expect(Self.schedule(seed) != Self.schedule(seed ^ 1))
    }

    @Test("Every download is hit between its first and last byte and keeps a good location", arguments: seeds)
    func everyDownloadIsHitInTheMiddleAndKeepsAGoodLocation(seed: UInt64) {
        let schedule = Self.schedule(seed)
        #expect(schedule.flaws.isEmpty)
        for download in schedule.downloads {
            #expect(!download.injections.isEmpty)
            #expect(download.injections.count < download.fault.target.locations)
            for injection in download.injections {
                #expect(download.range.lowerBound < injection.offset && injection.offset < download.range.upperBound - 1)
            }
        }
    }

    @Test("A long schedule has every fault and every kind of client")
    func aLongScheduleHasEveryFaultAndEveryKindOfClient() {
        let schedule = Self.schedule(5, downloads: 11_000)
        #expect(schedule.downloads.count == 11_000)
        #expect(Set(schedule.downloads.map(\.fault)) == Set(Fault.allCases))
        #expect(Set(schedule.downloads.map(\.client)) == Set(ClientKind.allCases))
        #expect(schedule.downloads.map { Int64($0.range.count) }.sorted()[5_500] >= 8 << 20)
        #expect(schedule.downloads.count { $0.client != .abandoning } >= 10_200)
        #expect(schedule.downloads.map(\.number).sorted() == Array(0..<11_000))
    }

    @Test("A schedule has only pairs of client and fault that are accepted")
    func aScheduleHasOnlyAcceptedPairs() {
        let schedule = Schedule(seed: 9, counts: [.scripted: 200, .nginx: 50], clients: 3) { client, fault in
            client == .whole && fault != .reset
        }
        #expect(schedule.downloads.count == 250)
        #expect(schedule.downloads.allSatisfy { $0.client == .whole && $0.fault != .reset })
        #expect(Set(schedule.lanes.map(\.target)) == [.nginx, .scripted])
    }

    @Test("The targets of the chosen faults share all downloads")
    func theTargetsOfTheChosenFaultsShareAllDownloads() {
        #expect(Schedule.counts(of: 6, for: [.fileError, .fileSlow]) == [.file: 6])
        #expect(Schedule.counts(of: 42, for: [.nginxKilled, .fileGone]) == [.nginx: 20, .file: 22])
        let shares = [TargetKind: Int](uniqueKeysWithValues: TargetKind.allCases.map { ($0, $0.share) })
        #expect(Schedule.counts(of: 1000) == shares)
    }

    @Test("Each lane has its own number, so that no two share an image")
    func eachLaneHasItsOwnNumber() {
        let numbers = Self.schedule(3).lanes.map(\.number)
        #expect(Set(numbers).count == numbers.count)
    }
}
