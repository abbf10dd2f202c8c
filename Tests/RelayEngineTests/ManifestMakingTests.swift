import ImageModel
import Testing

@testable import RelayEngine

/// Who makes the manifest of an image that many download at once.
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

    @Test("One download makes it for all")
    func oneDownloadMakesItForAll() {
        var making = ManifestBuildCoordinator()
        let begins = (0..<3).map { making.begin(name, at: start + .seconds($0)) }
        #expect(begins == [true, false, false])
    }

    @Test("When that one is over the next may try")
    func whenThatOneIsOverTheNextMayTry() {
        var making = ManifestBuildCoordinator()
        _ = making.begin(name, at: start)
        making.end(name)
        let begins = making.begin(name, at: start)
        #expect(begins)
    }

    @Test("A slow one does not keep it from the others")
    func aSlowOneDoesNotKeepItFromTheOthers() {
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
