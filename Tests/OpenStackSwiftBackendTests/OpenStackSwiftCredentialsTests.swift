import BackendKit
import Testing
import Waiting

@testable import OpenStackSwiftBackend

@Suite(.timeLimit(.minutes(5))) struct OpenStackSwiftCredentialsTests {
    @Test("A token is fetched once for all callers that wait for it")
    func aTokenIsFetchedOnceForAllCallers() async throws {
        let store = ScriptedStore()
        #expect(!store.credentials.isReady)
        #expect(store.credentials.generation == 0)
        store.hold()
        async let first: Void = store.credentials.renew(beyond: 0)
        try await eventually("a log-in") { store.requestCount > 0 }
        async let second: Void = store.credentials.renew(beyond: 0)
        async let third: Void = store.credentials.renew(beyond: 0)
        for _ in 0..<20 { await Task.yield() }
        store.release()
        _ = try await (first, second, third)
        #expect(store.requestCount == 1)
        #expect(store.credentials.isReady)
        #expect(store.credentials.generation == 1)
    }

    @Test("A renewal is skipped where a newer token is already there")
    func aRenewalIsSkippedWhereANewerTokenIsThere() async throws {
        let store = ScriptedStore()
        try await store.credentials.renew(beyond: 0)
        try await store.credentials.renew(beyond: 1)
        #expect(store.credentials.session?.token == "hush-token-2")
        try await store.credentials.renew(beyond: 1)
        #expect(store.requestCount == 2)
    }

    @Test("A token is renewed before it ends", arguments: [(3600, 60), (100, 10), (1, 0.1), (0, 0)] as [(Int, Double)])
    func aTokenIsRenewedBeforeItEnds(lifetime: Int, margin: Double) async throws {
        let store = ScriptedStore()
        store.setLifetime(lifetime)
        try await store.credentials.renew(beyond: 0)
        store.pass(.seconds(lifetime) - .seconds(margin) - .milliseconds(1))
        #expect(store.credentials.isReady)
        store.pass(.milliseconds(1))
        #expect(!store.credentials.isReady)
        #expect(store.credentials.session != nil)
        try await store.credentials.renew(beyond: store.credentials.generation)
        #expect(store.requestCount == 2)
    }

    @Test("A token without an end is used until it is refused")
    func aTokenWithoutAnEndIsUsedUntilItIsRefused() async throws {
        let store = ScriptedStore()
        store.setLifetime(nil)
        try await store.credentials.renew(beyond: 0)
        store.pass(.seconds(1_000_000))
        #expect(store.credentials.isReady)
    }

    @Test(
        "A refused log-in is not repeated at once",
        arguments: [
            (401, .credentials), (403, .credentials), (404, .backend), (429, .backend), (500, .backend), (302, .backend),
        ] as [(Int, FailureClass)])
    func aRefusedLoginIsNotRepeatedAtOnce(status: Int, suspected: FailureClass) async throws {
        let store = ScriptedStore()
        store.answer(with: status)
        let failures = await [failure(store), failure(store)]
        #expect(failures.map(\.?.failureClass) == [suspected, suspected])
        #expect(store.requestCount == 1)
        store.pass(OpenStackSwiftCredentials.pause)
        store.answer(with: 200)
        #expect(await failure(store) == nil)
        #expect(store.requestCount == 2)
        #expect(store.credentials.isReady)
    }

    @Test("An unreachable log-in is the backend's failure and keeps the old token")
    func anUnreachableLoginKeepsTheOldToken() async throws {
        let store = ScriptedStore()
        try await store.credentials.renew(beyond: 0)
        store.cutOff()
        let failure = await failure(store, beyond: 1)
        #expect(failure?.failureClass == .backend)
        #expect(failure?.reason == .connect)
        #expect(store.credentials.session?.token == "hush-token-1")
        #expect(store.credentials.generation == 1)
    }

    private func failure(_ store: ScriptedStore, beyond generation: Int = 0) async -> AttemptFailure? {
        do {
            try await store.credentials.renew(beyond: generation)
            return nil
        } catch {
            return error
        }
    }
}
