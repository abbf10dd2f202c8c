import Testing

/// The endpoints for load balancers.
@Suite(.timeLimit(.minutes(5)))
struct HealthScenarios {
    @Test("The health endpoints answer without a token", arguments: ["/healthz", "/readyz"])
    func theHealthEndpointsAnswerWithoutAToken(path: String) async throws {
        let holders = try TokenHolders()
        let baton = try await BatonProcess(backends: [:], settings: holders.settings, directory: holders.directory)
        #expect(try await baton.send("GET", "/v2/images").status == 401)
        let answer = try await baton.send("GET", path)
        #expect(answer.status == 200)
        #expect(answer.json["status"] as? String == "ok")
    }
}
