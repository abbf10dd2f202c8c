import BackendKit
import Foundation
import ImageModel
import Testing

@testable import RelayEngine

/// Which download builds the manifest of an image that many download at once.
@Suite struct ManifestMakingTests {
    private let start = ContinuousClock.now
    private let name: Representation.Name

    init() throws {
        name =
            Representation(
                image: ImageID(), format: Format(disk: .raw, container: .bare), size: 1,
                identity: try Digest(.md5, hex: String(repeating: "0", count: 32))
            ).name
    }

    @Test("One download builds the manifest for all")
    func oneDownloadBuildsTheManifestForAll() {
        var making = ManifestBuildCoordinator()
        let begins = (0..<3).map { making.begin(name, at: start + .seconds($0)) }
        #expect(begins == [true, false, false])
    }

    @Test("When that download ends, the next one may build the manifest")
    func whenThatDownloadEndsTheNextOneMayBuild() {
        var making = ManifestBuildCoordinator()
        _ = making.begin(name, at: start)
        making.end(name)
        let begins = making.begin(name, at: start)
        #expect(begins)
    }

    @Test("A slow download does not keep others from building the manifest")
    func aSlowDownloadDoesNotKeepOthersFromBuilding() {
        var making = ManifestBuildCoordinator()
        let times = [0, 59, 60, 61, 120].map { making.begin(name, at: start + .seconds($0)) }
        #expect(times == [true, false, true, false, true])
        making.end(name)
        making.end(name)
        let whileOneRuns = making.begin(name, at: start + .seconds(121))
        #expect(!whileOneRuns)
        making.end(name)
        let afterAll = making.begin(name, at: start + .seconds(122))
        #expect(afterAll)
    }
}

@Suite struct LastFailuresTests {
    @Test("The latest failure of each location is kept, up to a limit")
    func theLatestFailureOfEachLocationIsKept() {
        var failures = LastFailures(limit: 10)
        let locations = (0..<25).map { _ in LocationID() }
        let failure = AttemptFailure(.missing, .location, detail: "gone")
        for (second, location) in locations.enumerated() {
            failures.record(failure, of: location, at: Date(timeIntervalSince1970: Double(second)))
        }
        let known = locations.filter { failures[$0] != nil }
        #expect((5...10).contains(known.count))
        #expect(known == Array(locations.suffix(known.count)))
        let later = AttemptFailure(.reset, .backend, detail: "cut")
        failures.record(later, of: locations[24], at: Date(timeIntervalSince1970: 99))
        #expect(failures[locations[24]] == LastFailure(time: Date(timeIntervalSince1970: 99), failure: later))
    }
}
