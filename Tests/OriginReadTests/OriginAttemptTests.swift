import BackendKit
import CurlTransfer
import FaultyOrigin
import ImageModel
import OriginRead
import Synchronization
import Testing
import TokenBackend
import TransferRecording
import Waiting

/// What every reader of a backend can rely on: a download, a full read and a probe make the same attempts.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OriginAttemptTests {
    static let content = PatternedContent(size: 3_000_017, seed: 83)

    /// An origin behind a token, and all that is needed to read it.
    private final class Bench: Sendable {
        let loop = TransferLoop()
        let door = TokenDoor()
        let origin: FaultyOrigin
        let connections = ConnectionLimit(limit: 1, timeout: .seconds(60))

        init(
            _ content: PatternedContent = OriginAttemptTests.content,
            behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
        ) throws {
            origin = try FaultyOrigin(content, behind: door, behaviour: behaviour)
        }

        var driver: TokenDriver { TokenDriver(door, url: origin.url()) }

        deinit {
            door.hold(false)
            loop.stop()
            origin.stop()
        }
    }

    // MARK: The course of an attempt

    @Test("An attempt gets its permit, then its credentials, then the bytes it asks for")
    func anAttemptGetsItsPermitThenItsCredentialsThenTheBytesItAsksFor() async throws {
        let bench = try Bench()
        let run = AttemptRun(of: Self.content, range: ByteRange(first: 1_000_000, last: 1_999_999), on: bench.loop)
        run.start(bench.driver, connections: bench.connections)
        #expect(try await run.failure() == nil)
        #expect(run.isExact)
        #expect(run.calls == [.permitted, .requested, .began, .head, .ended])
        #expect(bench.door.fetches == 1 && bench.origin.record.requests.count == 1)
        #expect(bench.connections.counts == (0, 0))
    }

    @Test("The bytes before the wanted ones are dropped when the server ignores the range")
    func theBytesBeforeTheWantedOnesAreDroppedWhenTheServerIgnoresTheRange() async throws {
        let bench = try Bench { _ in .ignoringRange }
        let last = Self.content.size - 1
        let run = AttemptRun(of: Self.content, range: ByteRange(first: 1_000_000, last: last), on: bench.loop)
        run.start(bench.driver)
        #expect(try await run.failure() == nil)
        #expect(run.isExact)
    }

    @Test("A reader that wants the head alone gets no byte and no failure")
    func aReaderThatWantsTheHeadAloneGetsNoByteAndNoFailure() async throws {
        let bench = try Bench()
        let run = AttemptRun(of: Self.content, on: bench.loop) { _ in .stop }
        run.start(bench.driver, connections: bench.connections)
        #expect(try await run.failure() == nil)
        #expect(run.count == 0 && bench.connections.counts == (0, 0))
    }

    @Test("A head that the reader rejects ends the attempt with that failure")
    func aHeadThatTheReaderRejectsEndsTheAttemptWithThatFailure() async throws {
        let bench = try Bench()
        let rejected = AttemptFailure(.validatorChanged, .location, detail: "played")
        let run = AttemptRun(of: Self.content, on: bench.loop) { _ in .reject(rejected) }
        run.start(bench.driver)
        #expect(try await run.failure() == rejected)
        #expect(run.count == 0)
    }

    // MARK: Permits

    @Test("An attempt begins when another gives its permit back")
    func anAttemptBeginsWhenAnotherGivesItsPermitBack() async throws {
        let bench = try Bench()
        let held = try await bench.connections.acquire(for: .probe)
        let run = AttemptRun(of: Self.content, on: bench.loop)
        run.start(bench.driver, connections: bench.connections)
        try await eventually("a wait for the permit") { bench.connections.counts.waiting == 1 }
        #expect(bench.origin.record.requests.isEmpty && bench.door.fetches == 0)
        held.leave()
        #expect(try await run.failure() == nil)
        #expect(run.isExact)
    }

    @Test("An attempt that gets no permit in time fails for our own limit")
    func anAttemptThatGetsNoPermitInTimeFailsForOurOwnLimit() async throws {
        let bench = try Bench()
        let held = try await bench.connections.acquire(for: .probe)
        var timeouts = AttemptRun.patient
        timeouts.permit = .milliseconds(20)
        let run = AttemptRun(of: Self.content, on: bench.loop, waitsOn: 2)
        run.start(bench.driver, connections: bench.connections, timeouts: timeouts)
        let failure = try await run.failure()
        #expect(failure?.reason == .busy && failure?.failureClass == .throttled)
        #expect(bench.connections.counts == (1, 0) && bench.origin.record.requests.isEmpty)
        held.leave()
    }

    @Test("An attempt that is cancelled while it waits leaves the queue and tells nothing")
    func anAttemptThatIsCancelledWhileItWaitsLeavesTheQueueAndTellsNothing() async throws {
        let bench = try Bench()
        let held = try await bench.connections.acquire(for: .probe)
        let run = AttemptRun(of: Self.content, on: bench.loop)
        run.start(bench.driver, connections: bench.connections)
        try await eventually("a wait for the permit") { bench.connections.counts.waiting == 1 }
        run.cancel()
        try await eventually("the end of the wait") { bench.connections.counts == (1, 0) }
        held.leave()
        #expect(run.calls.isEmpty)
    }

    @Test("A reader hears that a download waits for its permit")
    func aReaderHearsThatADownloadWaitsForItsPermit() async throws {
        // More than all buffers on the way hold: once so much was sent, the reader has some of it.
        let content = PatternedContent(size: 24 << 20, seed: 85)
        let bench = try Bench(content) { _ in .stall(after: 16 << 20) }
        let run = AttemptRun(of: content, on: bench.loop)
        run.start(bench.driver, connections: bench.connections, for: .maintenance(of: "image"))
        await bench.origin.waitUntil { $0.bodyBytesSent >= 16 << 20 }
        let permit = try await bench.connections.acquire(for: .download(by: "somebody", of: "image"))
        #expect(run.calls.contains(.permitWanted))
        permit.leave()
        #expect(bench.connections.counts == (0, 0))
    }

    // MARK: Credentials

    @Test("Refused credentials are renewed once, with the permit kept and the same bytes asked for")
    func refusedCredentialsAreRenewedOnceWithThePermitKeptAndTheSameBytesAskedFor() async throws {
        let bench = try Bench()
        try await bench.door.renew(beyond: 0)
        bench.door.expire()
        bench.door.hold()
        let run = AttemptRun(of: Self.content, range: ByteRange(first: 500, last: 999_999), on: bench.loop)
        run.start(bench.driver, connections: bench.connections)
        try await eventually("a wait for the token") { bench.door.waiting >= 1 }
        #expect(bench.connections.counts == (1, 0), "its permit was given away")
        bench.door.hold(false)
        #expect(try await run.failure() == nil)
        #expect(run.isExact)
        #expect(run.calls == [.permitted, .requested, .began, .requested, .began, .head, .ended])
        let requests = bench.origin.record.requests
        #expect(requests.map { $0["x-auth-token"] } == ["token 1", "token 2"])
        #expect(requests.first?.range?.first == requests.last?.range?.first)
        #expect(bench.connections.counts == (0, 0))
    }

    @Test("Credentials that are refused right after their renewal are a failure")
    func credentialsThatAreRefusedRightAfterTheirRenewalAreAFailure() async throws {
        let bench = try Bench { _ in .status(401) }
        let run = AttemptRun(of: Self.content, on: bench.loop)
        run.start(bench.driver, connections: bench.connections)
        #expect(try await run.failure()?.reason == .unauthorized)
        #expect(bench.door.fetches == 2 && bench.origin.record.requests.count == 2)
        #expect(bench.connections.counts == (0, 0))
    }

    @Test("A caller who is known and may not read is not helped by new credentials")
    func aCallerWhoIsKnownAndMayNotReadIsNotHelpedByNewCredentials() async throws {
        let bench = try Bench { _ in .status(403) }
        let run = AttemptRun(of: Self.content, on: bench.loop)
        run.start(bench.driver)
        #expect(try await run.failure()?.reason == .denied)
        #expect(bench.door.fetches == 1 && bench.origin.record.requests.count == 1)
    }

    @Test("A renewal that fails is the attempt's failure")
    func aRenewalThatFailsIsTheAttemptsFailure() async throws {
        let refused = AttemptFailure(.denied, .credentials, detail: "the user is not known")
        for isLate in [false, true] {
            let bench = try Bench()
            if isLate {
                try await bench.door.renew(beyond: 0)
                bench.door.expire()
            }
            bench.door.refuse(with: refused)
            let run = AttemptRun(of: Self.content, on: bench.loop)
            run.start(bench.driver, connections: bench.connections)
            #expect(try await run.failure() == refused)
            #expect(bench.origin.record.requests.count == (isLate ? 1 : 0))
            #expect(bench.connections.counts == (0, 0))
        }
    }

    @Test("Credentials that do not come in time are a stall, and their late answer counts for nothing")
    func credentialsThatDoNotComeInTimeAreAStallAndTheirLateAnswerCountsForNothing() async throws {
        for isFirstLimit in [false, true] {
            let bench = try Bench()
            bench.door.hold()
            var timeouts = AttemptRun.patient
            if isFirstLimit { timeouts.head = .milliseconds(20) } else { timeouts.inactivity = .milliseconds(20) }
            let run = AttemptRun(of: Self.content, on: bench.loop)
            run.start(bench.driver, connections: bench.connections, timeouts: timeouts)
            let failure = try await run.failure()
            #expect(failure?.reason == .stall && failure?.failureClass == .backend)
            #expect(bench.connections.counts == (0, 0))
            bench.door.hold(false)
            try await eventually("the late answer") { bench.door.waiting == 0 }
            try await bench.loop.turn()
            #expect(run.calls == [.permitted, .ended] && bench.origin.record.requests.isEmpty)
        }
    }

    // MARK: Answers

    @Test("A server that falls silent is a stall, whether or not it has begun to answer")
    func aServerThatFallsSilentIsAStallWhetherOrNotItHasBegunToAnswer() async throws {
        for behaviour in [Behaviour.stall(after: 0), .stall(after: 1_000_000), .slowFirstByte(.seconds(60))] {
            let bench = try Bench { _ in behaviour }
            try await bench.door.renew(beyond: 0)
            var timeouts = AttemptRun.patient
            timeouts.inactivity = .milliseconds(400)
            let run = AttemptRun(of: Self.content, on: bench.loop)
            run.start(bench.driver, connections: bench.connections, timeouts: timeouts)
            let failure = try await run.failure()
            #expect(failure?.reason == .stall && failure?.failureClass == .backend)
            #expect(run.isRight && bench.connections.counts == (0, 0))
        }
    }

    @Test("Time in which the reader has paused the attempt is not a stall")
    func timeInWhichTheReaderHasPausedTheAttemptIsNoStall() async throws {
        let content = PatternedContent(size: 24 << 20, seed: 86)
        let bench = try Bench(content)
        try await bench.door.renew(beyond: 0)
        var timeouts = AttemptRun.patient
        timeouts.inactivity = .seconds(1)
        let run = AttemptRun(of: content, on: bench.loop, pauseAfter: 1_000_000)
        run.start(bench.driver, timeouts: timeouts)
        try await eventually("a pause") { run.isPaused }
        // The pause outlasts the inactivity timeout.
        try await Task.sleep(for: .milliseconds(1500))
        #expect(!run.calls.contains(.ended))
        run.resume()
        #expect(try await run.failure() == nil)
        #expect(run.isExact)
    }

    @Test("A connection that breaks is a failure of the backend, and what came before is right")
    func aConnectionThatBreaksIsAFailureOfTheBackendAndWhatCameBeforeIsRight() async throws {
        for behaviour in [Behaviour.reset(after: 1_000_000), .close(after: 1_000_000)] {
            let bench = try Bench { _ in behaviour }
            let run = AttemptRun(of: Self.content, on: bench.loop)
            run.start(bench.driver)
            let failure = try await run.failure()
            #expect(failure?.failureClass == .backend && failure?.isConnectionEnd == true)
            #expect(run.isRight && run.count < Self.content.size)
        }
    }

    @Test("A refusal names its class")
    func aRefusalNamesItsClass() async throws {
        let expected: [(Int, FailureClass)] = [(404, .location), (410, .location), (500, .backend), (429, .throttled)]
        for (status, failureClass) in expected {
            let bench = try Bench { _ in .status(status) }
            let run = AttemptRun(of: Self.content, on: bench.loop)
            run.start(bench.driver)
            #expect(try await run.failure()?.failureClass == failureClass)
        }
    }

    // MARK: Workers

    /// Hangs when it opens a file, until it is let go.
    private final class HangingDriver: Driver {
        let capabilities = Capabilities(maximumRange: 1 << 20)
        private let workers = FileWorkers(name: "hanging", limit: 1)
        private let isHanging = Mutex(true)
        private let opened = Mutex(0)

        var hasOpened: Bool { opened.withLock { $0 } > 0 }

        func letGo() { isHanging.withLock { $0 = false } }

        func transferRequest(for read: ReadRequest) -> TransferRequest {
            TransferRequest(
                source: .file(
                    FileSource(workers: workers) { [self] () throws(TransferError) in
                        opened.withLock { $0 += 1 }
                        try? eventuallyOnThread("the disk to be let go") { isHanging.withLock { !$0 } }
                        throw TransferError(.other, message: "the disk is back, the file is not")
                    }), range: read.range.map { $0.first...$0.last })
        }

        func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
            .failure(AttemptFailure(.protocolViolation, .local, detail: "nothing is ever opened"))
        }
    }

    @Test("An attempt that no worker takes up fails for our own limit")
    func anAttemptThatNoWorkerTakesUpFailsForOurOwnLimit() async throws {
        let loop = TransferLoop()
        let driver = HangingDriver()
        defer {
            driver.letGo()
            loop.stop()
        }
        let range = ByteRange(first: 0, last: 8)
        let holding = AttemptRun(of: Self.content, range: range, on: loop)
        holding.start(driver)
        try await eventually("the file to be opened") { driver.hasOpened }
        var timeouts = AttemptRun.patient
        timeouts.worker = .milliseconds(1)
        let run = AttemptRun(of: Self.content, range: range, on: loop, waitsOn: 2)
        run.start(driver, timeouts: timeouts)
        let failure = try await run.failure()
        #expect(failure?.reason == .busy && failure?.failureClass == .throttled, "it says nothing of the location")
        holding.cancel()
    }
}
