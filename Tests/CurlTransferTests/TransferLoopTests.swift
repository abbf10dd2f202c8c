import FaultyOrigin
import NIOCore
import NetworkAddress
import Testing
import TransferRecording
import Waiting

@testable import CurlTransfer

/// The loop, with a `FaultyOrigin` at the other end.
@Suite(.timeLimit(.minutes(5)))
struct TransferLoopTests {
    static let content = PatternedContent(size: 3_000_017, seed: 11)

    @Test("A transfer delivers the whole body and ends once")
    func aTransferDeliversTheWholeBodyAndEndsOnce() async throws {
        let origin = try FaultyOrigin(Self.content)
        let loop = TransferLoop()
        defer {
            origin.stop()
            loop.stop()
        }
        let result = await loop.run(TransferRequest(source: .url(origin.url())))
        #expect(result.error == nil)
        #expect(result.statuses == [200])
        #expect(result.endings == 1)
        #expect(result.bytes == Self.content.bytes(in: 0..<Self.content.size))
    }

    @Test("A range is requested by its first and last byte")
    func aRangeIsRequestedByItsFirstAndLastByte() async throws {
        let origin = try FaultyOrigin(Self.content)
        let loop = TransferLoop()
        defer {
            origin.stop()
            loop.stop()
        }
        let result = await loop.run(TransferRequest(source: .url(origin.url()), range: 1000...1999))
        #expect(result.statuses == [206])
        #expect(result.bytes == Self.content.bytes(in: 1000..<2000))
        #expect(origin.record.requests.first?.range?.last == 1999)
    }

    @Test("A followed redirect is one transfer to its sink")
    func aFollowedRedirectIsOneTransferToItsSink() async throws {
        let target = try FaultyOrigin(Self.content)
        let origin = try FaultyOrigin(Self.content) { _ in .redirect(to: target.url("x")) }
        let loop = TransferLoop()
        defer {
            for origin in [target, origin] { origin.stop() }
            loop.stop()
        }
        var request = TransferRequest(source: .url(origin.url()), range: 10...2_000_009)
        request.redirect = { head in
            head["location"].map { TransferRequest(source: .url($0), range: 10...2_000_009, headers: [("X-Hop", "1")]) }
        }
        let result = await loop.run(request)
        #expect(result.error == nil)
        #expect(result.statuses == [206])
        #expect(result.endings == 1)
        #expect(result.bytes == Self.content.bytes(in: 10..<2_000_010))
        #expect(target.record.requests.first?["x-hop"] == "1")
        // A redirect that is not followed is an answer like any other.
        request.redirect = { _ in nil }
        #expect(await loop.run(request).statuses == [302])
    }

    @Test("A transfer that is paused before its head stays paused until it is resumed", arguments: [false, true])
    func aTransferPausedBeforeItsHeadStaysPaused(isRedirected: Bool) async throws {
        let content = PatternedContent(size: 8_000_003, seed: 12)
        let target = try FaultyOrigin(content)
        let origin = try FaultyOrigin(content) { _ in isRedirected ? .redirect(to: target.url("x")) : .sound }
        let loop = TransferLoop()
        defer {
            for origin in [target, origin] { origin.stop() }
            loop.stop()
        }
        let url = origin.url()
        let (cameWhilePaused, all): (Int64, Int64) = try await answer("the end of the paused transfer") { done in
            loop.enqueue {
                var request = TransferRequest(source: .url(url))
                request.redirect = { head in head["location"].map { TransferRequest(source: .url($0)) } }
                _ = loop.start(request, sink: PausedSink(loop: loop) { done(($0, $1)) })
            }
        }
        // Bytes that arrive together with the head are not held up: a batch and what was in libcurl's buffer.
        #expect(cameWhilePaused <= 2 << 20)
        #expect(all == content.size)
    }

    @Test("A redirect to an unreachable server fails like the request itself")
    func aRedirectToAnUnreachableServerFails() async throws {
        let origin = try FaultyOrigin(Self.content) { _ in .redirect(to: "http://127.0.0.1:1/") }
        let loop = TransferLoop()
        defer {
            origin.stop()
            loop.stop()
        }
        var request = TransferRequest(source: .url(origin.url()))
        request.redirect = { head in head["location"].map { TransferRequest(source: .url($0)) } }
        for _ in 1...3 {
            let result = await loop.run(request)
            #expect(result.error?.kind == .connect)
            #expect(result.endings == 1 && result.statuses.isEmpty)
        }
    }

    @Test("A refused address is distinguished from an unreachable server")
    func aRefusedAddressIsDistinguishedFromAnUnreachableServer() async throws {
        let origin = try FaultyOrigin(Self.content)
        let loop = TransferLoop()
        defer {
            origin.stop()
            loop.stop()
        }
        var request = TransferRequest(source: .url(origin.url()))
        request.addresses = AddressPolicy()
        let refused = await loop.run(request)
        #expect(refused.error?.kind == .refusedAddress)
        #expect(refused.error?.message.contains("loopback") == true)
        #expect(origin.record.openConnections == 0 && origin.record.requests.isEmpty)
        request.addresses = AddressPolicy(allowing: [.loopback])
        #expect(await loop.run(request).error == nil)
        request.source = .url("http://127.0.0.1:1/")
        #expect(await loop.run(request).error?.kind == .connect)
    }

    /// A way to fail, and the error kind that it must have.
    struct Failure: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let url: @Sendable (FaultyOrigin) -> String
        let kind: TransferError.Kind

        init(_ name: String, _ kind: TransferError.Kind, _ url: @escaping @Sendable (FaultyOrigin) -> String) {
            testDescription = name
            self.url = url
            self.kind = kind
        }
    }

    static let failures: [Failure] = [
        .init("a name that is not found", .resolve) { _ in "http://no-such-host.invalid/image" },
        .init("a connection that breaks", .connectionLost) { $0.url("broken") },
        .init("a connection that is refused", .connect) { _ in "http://127.0.0.1:1/image" },
    ]

    @Test("After a failure the loop's next transfer succeeds", arguments: failures)
    func afterAFailureTheNextTransferSucceeds(failure: Failure) async throws {
        let origin = try FaultyOrigin(Self.content) { $0.path.contains("broken") ? .reset(after: 100) : .sound }
        let loop = TransferLoop()
        defer {
            origin.stop()
            loop.stop()
        }
        // More than once: handles go back to a store and come out of it again.
        for _ in 1...3 {
            #expect(await loop.run(TransferRequest(source: .url(failure.url(origin)))).error?.kind == failure.kind)
            let next = await loop.run(TransferRequest(source: .url(origin.url())))
            #expect(next.error == nil)
            #expect(next.bytes.count == Int(Self.content.size))
        }
    }
}

@Suite struct SlabPoolTests {
    @Test("Slabs unused since the last trim are freed, and slabs in flight are kept")
    func unusedSlabsAreGivenBack() {
        var pool = SlabPool(slabSize: 4096, keep: 16)
        var flying = (0..<10).map { _ in pool.take() }
        for slab in flying { pool.recycle(slab) }
        pool.trimUnused()
        #expect(pool.heldBytes == 10 * 4096, "all are on their way out")
        flying.removeLast(6)
        let taken = (0..<2).map { _ in pool.take() }
        #expect(pool.heldBytes == 8 * 4096)
        pool.trimUnused()
        #expect(pool.heldBytes == 6 * 4096, "two were taken since, so two of the four free ones stay")
        pool.trimUnused()
        #expect(pool.heldBytes == 4 * 4096)
        withExtendedLifetime((flying, taken)) {}
    }
}
