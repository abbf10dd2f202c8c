import Testing

/// What a load balancer asks.
@Suite(.timeLimit(.minutes(5)))
struct HealthScenarios {
    @Test("A server that runs says so to whoever asks", arguments: ["/healthz", "/readyz"])
    func aServerThatRunsSaysSoToWhoeverAsks(path: String) async throws {
        let holders = try TokenHolders()
        let baton = try await BatonProcess(backends: [:], settings: holders.settings, directory: holders.directory)
        #expect(try await baton.send("GET", "/v2/images").status == 401)
        let answer = try await baton.send("GET", path)
        #expect(answer.status == 200)
        #expect(answer.json["status"] as? String == "ok")
    }
}
