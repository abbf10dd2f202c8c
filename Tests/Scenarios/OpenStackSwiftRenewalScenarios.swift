import FaultyOrigin
import Foundation
import Testing

/// Downloads whose token a real OpenStack Swift forgets: tokens are in memcached, which is empty after a restart.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OpenStackSwiftRenewalScenarios {
    static let content = PatternedContent(size: 30_000_001, seed: 102)

    private func server(_ node: OpenStackSwiftNode, key: String = "testing") async throws -> BatonProcess {
        let directory = try TestDirectory()
        let file = try directory.write("\(key)\n", to: "key")
        let backend =
            #"driver: swift, auth_url: "\#(node.url)/auth/v1.0", user: "test:tester", key_file: "\#(file)", container: images"#
        return try await BatonProcess(
            backends: ["swift": backend], settings: BatonProcess.timeout, directory: directory, logLevel: "trace")
    }

    @Test("A forgotten token is renewed without counting as a failure")
    func aForgottenTokenIsRenewed() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "x")
        let baton = try await server(node)
        let image = try await baton.addImage(of: Self.content, at: ["swift://swift/x"])
        node.crash("memcached")
        try await node.revive()
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.isEmpty != false, "\(relay.fields["failures"] ?? [])")
        #expect(!baton.rawLog.contains("AUTH_tk"))
    }

    /// The connection breaks and the store loses all tokens: the next request of the same download is refused first.
    @Test("A token that is forgotten in mid-stream is renewed, and the download continues at its byte")
    func aTokenForgottenInMidStreamIsRenewed() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "x")
        let baton = try await server(node)
        let image = try await baton.addImage(of: Self.content, at: ["swift://swift/x"])
        let port = baton.port
        let isDown = Flag()
        async let download = onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 4_000_000, expected: (Self.content, 0))
            for server in ["memcached", "proxy"] { node.crash(server) }
            isDown.set()
            client.receiveBody(&response, expected: (Self.content, 0))
            return response
        }
        try await eventually("the end of memcached and the proxy") { isDown.isSet }
        try await node.revive()
        let response = try await download
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.contains { $0.contains("denied") } != true)
    }

    @Test("A key that is not accepted is reported")
    func aKeyThatIsNotAcceptedIsReported() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let baton = try await server(node, key: "hush-wrong")
        let image = try await baton.addImage()
        let refused = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body:
                #"{"url": "swift://swift/x", "size": \#(Self.content.size), "digests": {"sha256": "\#(Self.content.sha256)"}}"#)
        #expect(refused.text.contains("the log-in was answered with status 401"))
        #expect(!(refused.text + baton.rawLog).contains("hush"))
    }
}
