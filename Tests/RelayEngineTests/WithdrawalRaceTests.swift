import BackendKit
import CurlTransfer
import FaultyOrigin
import Foundation
import ImageModel
import LocationSelection
import Synchronization
import Testing
import TokenBackend

@testable import RelayEngine

/// A location is withdrawn while a relay does not read it yet, or does not read it any more.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WithdrawalRaceTests {
    static let content = PatternedContent(size: 300_007, seed: 161)

    /// Runs an interruption while a relay is created from it: after the selection, before the relay is registered.
    private struct InterruptedDriver: Driver {
        let inner: TokenDriver
        let interruption: @Sendable () -> Void

        var capabilities: Capabilities {
            interruption()
            return inner.capabilities
        }

        var credentials: (any RenewableCredentials)? { inner.credentials }

        func transferRequest(for read: ReadRequest) -> TransferRequest { inner.transferRequest(for: read) }

        func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
            inner.inspect(head, of: read)
        }
    }

    /// The action of an interruption, which is set once the relays exist.
    private final class Interruption: Sendable {
        private let action = Mutex<(@Sendable () -> Void)?>(nil)

        func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }
        func run() { action.withLock { $0 }?() }
    }

    private let loop = TransferLoop()
    private let door = TokenDoor()

    private func relays(_ drivers: [any Driver]) throws -> Relays {
        let base = try LocationURL("http://127.0.0.1:1/")
        return Relays(
            registry: BackendRegistry(
                drivers.enumerated().map { Backend(id: BackendID("b\($0)"), base: base, driver: $1) }),
            loops: [loop], policy: RelayRun.patient, strategy: .ordered, penalty: .seconds(60))
    }

    private func locations(_ count: Int) -> [Location] {
        let image = ImageID()
        return (0..<count).map {
            Location(
                id: LocationID(), image: image, backend: BackendID("b\($0)"), path: "image", url: "http://b\($0)/image",
                state: LocationState(.active), format: Format(disk: .raw, container: .bare), size: Self.content.size,
                digests: DigestSet([Self.content.digest]), createdAt: .now)
        }
    }

    private func deliver(_ locations: [Location], _ selection: Selection, by relays: Relays) async -> (RelayRun, RelaySummary?)
    {
        let run = RelayRun(of: Self.content)
        let representation = Representation(
            image: locations[0].image, format: locations[0].format, size: Self.content.size, identity: Self.content.digest)
        let relay = relays.relay(of: representation, range: nil, over: selection, by: "a test", to: run)
        relay.start()
        let summary = await run.ended()
        withExtendedLifetime(relay) {}
        return (run, summary)
    }

    @Test("A location that is withdrawn between the selection and the relay's creation is not read")
    func takenOutBeforeTheRelayIsMade() async throws {
        defer { loop.stop() }
        let origins = try (0..<2).map { _ in try FaultyOrigin(Self.content, behind: door) }
        defer { for origin in origins { origin.stop() } }
        let relays = try relays(origins.map { TokenDriver(door, url: $0.url()) })
        let locations = locations(2)
        let selection = relays.select(locations, for: .whole, size: Self.content.size)
        relays.running.withdraw(locations[0].id, atOnce: true)
        let (run, summary) = await deliver(locations, selection, by: relays)
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(origins[0].record.requests.isEmpty && !origins[1].record.requests.isEmpty)
    }

    @Test("A location that is withdrawn while its relay is created is not read")
    func takenOutWhileTheRelayIsMade() async throws {
        defer { loop.stop() }
        let origins = try (0..<2).map { _ in try FaultyOrigin(Self.content, behind: door) }
        defer { for origin in origins { origin.stop() } }
        let interruption = Interruption()
        let relays = try relays([
            InterruptedDriver(inner: TokenDriver(door, url: origins[0].url())) { interruption.run() },
            TokenDriver(door, url: origins[1].url()),
        ])
        let locations = locations(2)
        let selection = relays.select(locations, for: .whole, size: Self.content.size)
        let first = locations[0].id
        interruption.set { [weak relays] in relays?.running.withdraw(first, atOnce: true) }
        let (run, summary) = await deliver(locations, selection, by: relays)
        #expect(summary?.outcome == .finished && run.isExact)
        #expect(origins[0].record.requests.isEmpty && !origins[1].record.requests.isEmpty)
    }

    /// A state machine whose first candidate has given everything, one chunk that is not verified yet.
    private func awaitingDecision(candidates: Int) throws -> RelayStateMachine {
        let layout = try #require(ChunkLayout(size: 8, chunkSize: 8))
        let now = ContinuousClock.now
        var machine = RelayStateMachine(
            plan: RelayPlan(
                whole: 8, verification: .chunks(layout), candidates: (0..<candidates).map { _ in RelayPlan.Candidate() }),
            policy: RelayPolicy(), seed: 1, at: now)
        let id = AttemptID(number: 0)
        _ = machine.handle(.begin, at: now)
        _ = machine.handle(.began(id), at: now)
        _ = machine.handle(.head(id, ObjectHead(first: 0, count: 8, total: 8, validator: nil)), at: now)
        _ = machine.handle(.bytes(id, dropped: 0, kept: 8), at: now)
        _ = machine.handle(.completed(id), at: now)
        #expect(machine.phase == .verifying)
        return machine
    }

    private func started(_ actions: [RelayAction]) -> [Int] {
        actions.compactMap { if case .start(_, let candidate, _) = $0 { candidate } else { nil } }
    }

    @Test(
        "A location that is withdrawn while its chunk awaits verification is not asked for it again", arguments: [true, false])
    func takenOutWhileItsChunkAwaitsTheDecision(atOnce: Bool) throws {
        var machine = try awaitingDecision(candidates: 2)
        let now = ContinuousClock.now
        #expect(machine.handle(.withdrawn(candidate: 0, atOnce: atOnce), at: now).isEmpty)
        let actions = machine.handle(.chunkRejected(start: 0, digest: [1]), at: now)
        #expect(started(actions) == [1])
        // Nor when the other one fails as well.
        var later = actions
        for _ in 0..<40 {
            guard let id = later.compactMap({ if case .start(let id, _, _) = $0 { id } else { nil } }).last else { break }
            later = machine.handle(.failed(id, AttemptFailure(.reset, .backend, detail: "played")), at: now + .seconds(3600))
            #expect(!started(later).contains(0))
            if later.isEmpty { later = machine.handle(.tick, at: now + .seconds(7200)) }
        }
    }

    @Test("A contributor that is withdrawn before a digest mismatch is not read again")
    func aContributorWithdrawnBeforeADigestMismatchIsNotReadAgain() {
        let now = ContinuousClock.now
        var machine = RelayStateMachine(
            plan: RelayPlan(whole: 8, candidates: [RelayPlan.Candidate(), RelayPlan.Candidate()]), policy: RelayPolicy(),
            seed: 1, at: now)
        func read(_ number: Int, from first: Int64, _ count: Int64) {
            let id = AttemptID(number: number)
            _ = machine.handle(.began(id), at: now)
            _ = machine.handle(.head(id, ObjectHead(first: first, count: 8 - first, total: 8, validator: nil)), at: now)
            _ = machine.handle(.bytes(id, dropped: 0, kept: count), at: now)
        }
        _ = machine.handle(.begin, at: now)
        read(0, from: 0, 4)
        #expect(started(machine.handle(.withdrawn(candidate: 0, atOnce: true), at: now)) == [1])
        read(1, from: 4, 4)
        #expect(machine.phase == .verifying)
        var actions = machine.handle(.wholeDigestCompared(matched: false), at: now)
        #expect(started(actions) == [1])
        for _ in 0..<40 {
            guard let id = actions.compactMap({ if case .start(let id, _, _) = $0 { id } else { nil } }).last else { break }
            actions = machine.handle(.failed(id, AttemptFailure(.reset, .backend, detail: "played")), at: now + .seconds(3600))
            #expect(!started(actions).contains(0))
            if started(actions).isEmpty { actions = machine.handle(.tick, at: now + .seconds(7200)) }
        }
    }

    @Test("If no other location is left, a rejected chunk ends the relay")
    func theOnlyLocationIsTakenOutWhileItsChunkAwaitsTheDecision() throws {
        var machine = try awaitingDecision(candidates: 1)
        let now = ContinuousClock.now
        #expect(machine.handle(.withdrawn(candidate: 0, atOnce: true), at: now).isEmpty)
        let actions = machine.handle(.chunkRejected(start: 0, digest: [1]), at: now)
        #expect(started(actions).isEmpty)
        #expect(machine.phase == .ended(.refused))
    }

    @Test("Bytes of a location that is withdrawn are delivered once they are verified")
    func aVerifiedChunkOfALocationThatIsTakenOut() throws {
        var machine = try awaitingDecision(candidates: 1)
        let now = ContinuousClock.now
        _ = machine.handle(.withdrawn(candidate: 0, atOnce: true), at: now)
        let actions = machine.handle(.chunksVerified(upTo: 8), at: now)
        #expect(actions.contains(.release(upTo: 8)))
        #expect(machine.handle(.consumed(8), at: now).contains(.finish))
    }

    @Test("A manifest in the making starts again with the bytes, so that it lists only those that matched")
    func aManifestAfterAMismatch() throws {
        defer { loop.stop() }
        let layout = try #require(ChunkLayout(size: Self.content.size, chunkSize: 65_536))
        var verification = RelayVerification(
            RelayPlan(whole: Self.content.size, candidates: []), algorithm: .sha256, manifest: nil, making: layout)
        func feed(_ content: PatternedContent, _ verification: inout RelayVerification) {
            var position: Int64 = 0
            while position < content.size {
                position += content.withBytes(at: position, limit: Int(content.size - position)) { bytes in
                    verification.update(bytes)
                    return Int64(bytes.count)
                }
            }
        }
        feed(PatternedContent(size: Self.content.size, seed: 162), &verification)
        #expect(verification.finish().digest != Self.content.digest)
        verification.start()
        feed(Self.content, &verification)
        let (digest, manifest) = verification.finish()
        #expect(digest == Self.content.digest)
        #expect(manifest == Self.content.manifest(layout))
    }
}
