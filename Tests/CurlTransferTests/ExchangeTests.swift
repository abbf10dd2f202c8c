import CurlTransfer
import FaultyOrigin
import Testing
import TransferRecording

@Suite(.serialized, .timeLimit(.minutes(5)))
struct ExchangeTests {
    private static let content = PatternedContent(size: 100_003, seed: 5)

    private func answer(_ behaviour: Behaviour, keeping part: Int, timeout: Duration = .seconds(30)) async throws
        -> Exchange.Answer
    {
        let loop = TransferLoop()
        defer { loop.stop() }
        let origin = try FaultyOrigin(Self.content) { _ in behaviour }
        defer { origin.stop() }
        return try await Exchange.run(
            TransferRequest(source: .url(origin.url())), on: loop, timeout: timeout, keeping: { _ in part })
    }

    @Test("Only the requested part of a long body is kept")
    func onlyTheRequestedPartOfALongBodyIsKept() async throws {
        let answer = try await answer(.sound, keeping: 1000)
        #expect(answer.head.status == 200)
        #expect(answer.body.count == 1000)
        #expect(answer.body.withUnsafeBytes { Self.content.firstDifference(from: $0, at: 0) } == nil)
        #expect(try await self.answer(.sound, keeping: 0).body.isEmpty)
    }

    @Test("A path is sent unchanged, with its dots and slashes")
    func pathsAreSentAsTheyAre() async throws {
        let loop = TransferLoop()
        defer { loop.stop() }
        let origin = try FaultyOrigin(Self.content)
        defer { origin.stop() }
        let url = origin.url("a/../b/./c//%2e%2E/d/..")
        _ = try await Exchange.run(
            TransferRequest(source: .url(url)), on: loop, timeout: .seconds(30), keeping: { _ in 0 })
        #expect(origin.record.requests.map { url.hasSuffix($0.path) && $0.path.hasPrefix("/a/") } == [true])
    }

    @Test(
        "A body that breaks does not hide the response's head",
        arguments: [Behaviour.close(after: 500), .reset(after: 500), .stall(after: 500)])
    func aBodyThatBreaksDoesNotHideTheHead(behaviour: Behaviour) async throws {
        let answer = try await answer(behaviour, keeping: 1000, timeout: .seconds(2))
        #expect(answer.head.status == 200)
        #expect(answer.body.count <= 500)
    }
}
