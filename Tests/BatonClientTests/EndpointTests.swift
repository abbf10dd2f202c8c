import CurlTransfer
import FaultyOrigin
import Testing

@testable import BatonClient

/// A command whose server does not answer.
@Suite(.timeLimit(.minutes(5)))
struct EndpointTests {
    @Test("A request times out when the server accepts it and never answers")
    func aRequestTimesOutWhenTheServerNeverAnswers() async throws {
        // It takes the request and sends not even a head.
        let silent = try FaultyOrigin(PatternedContent(size: 10, seed: 1)) { _ in .slowFirstByte(.seconds(3600)) }
        let loop = TransferLoop()
        defer {
            silent.stop()
            loop.stop()
        }
        var endpoint = Endpoint(url: silent.url(""), token: nil, loop: loop)
        endpoint.timeout = .milliseconds(200)
        let error = await #expect(throws: ClientError.self) { try await endpoint.send("HEAD", "/v2/images/x/file") }
        #expect(error?.kind == .unreachable)
        #expect(silent.record.requests.count == 1)
    }
}
