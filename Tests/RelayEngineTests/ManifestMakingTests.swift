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

    @Test func oneDownloadMakesItForAll() {
        var making = ManifestMaking()
        let begins = (0..<3).map { making.begin(name, at: start + .seconds($0)) }
        #expect(begins == [true, false, false])
    }

    @Test func whenThatOneIsOverTheNextMayTry() {
        var making = ManifestMaking()
        _ = making.begin(name, at: start)
        making.end(name)
        let begins = making.begin(name, at: start)
        #expect(begins)
    }

    @Test func aSlowOneDoesNotKeepItFromTheOthers() {
        var making = ManifestMaking()
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
