import BackendKit
import Foundation
import ImageModel
import Testing

@testable import Verification

/// The reads for manifests that may begin.
@Suite struct ManifestQueueTests {
    private let north = BackendID("north")
    private let south = BackendID("south")
    private let start = ContinuousClock.now

    private func location(in backend: BackendID, of image: ImageID = ImageID()) -> Location {
        Location(
            id: LocationID(), image: image, backend: backend, path: "x", url: "http://x/x",
            format: Format(disk: .raw, container: .bare),
            size: 1, digests: DigestSet(), createdAt: .now)
    }

    private func failure(_ failureClass: FailureClass, retryAfter: Duration? = nil) -> Verifier.Result {
        .unreadable(AttemptFailure(.serverError, failureClass, retryAfter: retryAfter, detail: "played"))
    }

    @Test("One reader at a time reads a backend, and the number of readers is limited")
    func oneOfEachBackend() {
        var queue = ManifestQueue(readers: 2)
        let others = (0..<3).map { BackendID("b\($0)") }
        #expect(queue.available([north, south], at: start) == [north, south])
        let first = location(in: north)
        queue.begin(first)
        #expect(queue.available([north, south], at: start) == [south])
        queue.begin(location(in: south))
        #expect(queue.available([north, south] + others, at: start) == [])
        queue.end(first, .matched, at: start)
        #expect(queue.available([north, south], at: start) == [north])
    }

    @Test("Another location of a representation that is being read must wait")
    func oneOfEachRepresentation() {
        var queue = ManifestQueue(readers: 9)
        let image = ImageID()
        let first = location(in: north, of: image)
        queue.begin(first)
        #expect(!queue.allows(location(in: south, of: image), at: start))
        #expect(queue.allows(location(in: south), at: start))
        queue.end(first, .quarantined, at: start)
        #expect(queue.allows(location(in: south, of: image), at: start), "its next location is read at once")
    }

    @Test("A failing backend rests twice as long each time, up to a limit, until a read succeeds")
    func aFailingBackendRests() {
        var queue = ManifestQueue(readers: 9)
        var now = start
        for rest in [30, 60, 120, 240, 480, 600, 600] {
            let location = location(in: north)
            queue.begin(location)
            queue.end(location, failure(.backend), at: now)
            #expect(queue.available([north, south], at: now + .seconds(rest) - .milliseconds(1)) == [south])
            now += .seconds(rest)
            #expect(queue.available([north], at: now) == [north])
        }
        let location = location(in: north)
        queue.begin(location)
        queue.end(location, .undecided, at: now)
        queue.begin(location)
        queue.end(location, failure(.throttled, retryAfter: .seconds(45)), at: now)
        #expect(queue.available([north], at: now + .seconds(44)) == [])
        #expect(queue.available([north], at: now + .seconds(45)) == [north])
    }

    @Test("An object that fails alone does not make its backend rest")
    func aFailingLocation() {
        var queue = ManifestQueue(readers: 9)
        let location = location(in: north)
        queue.begin(location)
        queue.end(location, failure(.location), at: start)
        #expect(queue.available([north], at: start) == [north])
    }

    @Test("A location without a manifest after a match is not read again at once")
    func noManifestInSpiteOfAMatch() {
        var queue = ManifestQueue(readers: 9)
        let location = location(in: north)
        queue.begin(location)
        queue.end(location, .matched, at: start)
        #expect(!queue.allows(location, at: start + ManifestQueue.repetition - .milliseconds(1)))
        #expect(queue.allows(location, at: start + ManifestQueue.repetition))
    }

    @Test(
        "A read that did not take place is retried a little later", arguments: [Verifier.Result.skipped, .cancelled, nil])
    func aReadThatDidNotTakePlace(result: Verifier.Result?) {
        var queue = ManifestQueue(readers: 9)
        let location = location(in: north)
        queue.begin(location)
        queue.end(location, result, at: start)
        #expect(!queue.allows(location, at: start))
        #expect(queue.allows(location, at: start + ManifestQueue.retry))
    }

    @Test("Reads that share a rate keep to it together and count their own bytes")
    func aSharedRate() {
        let scrubs = ReadRateLimiter(bytesPerSecond: 1000)
        let manifests = ReadRateLimiter(sharing: scrubs)
        manifests.take(2000, at: start)
        for pace in [scrubs, manifests] {
            #expect(!pace.allowsMore(at: start + .seconds(1.9)))
            #expect(pace.allowsMore(at: start + .seconds(2)))
        }
        #expect(manifests.bytesRead == 2000 && scrubs.bytesRead == 0)
    }
}
