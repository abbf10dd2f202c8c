import BackendKit
import Synchronization
import Testing

/// A background read yields its permit each time a download waits, not only the first time.
@Suite(.timeLimit(.minutes(1)))
struct RepeatedYieldTests {
    @Test("A background read that yielded once is asked again the next time a download waits", arguments: [1, 2, 3])
    func aReadThatYieldsAgainAndAgain(reads: Int) {
        let limit = ConnectionLimit(limit: reads, timeout: .seconds(60))
        let asked = Atomic(0)
        var places: [ConnectionPermit] = []
        func read() {
            let (place, isAdmitted) = limit.enter(
                .maintenance(of: "image"), yield: { asked.add(1, ordering: .relaxed) }, admitted: {})
            #expect(isAdmitted)
            places.append(place)
        }
        for _ in 0..<reads { read() }
        for round in 1...5 {
            let isAdmitted = Atomic(false)
            let (download, isAtOnce) = limit.enter(
                .download(by: "somebody", of: "image"), admitted: { isAdmitted.store(true, ordering: .relaxed) })
            #expect(!isAtOnce)
            let askedSoFar = asked.load(ordering: .relaxed)
            #expect(askedSoFar == round, "one read is asked for each download that waits")
            // The read that was asked leaves, and comes back when the download is over.
            places.removeLast().leave()
            let isThere = isAdmitted.load(ordering: .relaxed)
            #expect(isThere)
            download.leave()
            read()
        }
        for place in places { place.leave() }
        #expect(limit.counts == (0, 0))
    }
}
