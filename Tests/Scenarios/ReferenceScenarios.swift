import Servers
import Testing

/// The pages that are generated: they are what the command and the sample configuration say now.
@Suite(.timeLimit(.minutes(5)))
struct ReferenceScenarios {
    @Test("The command line reference is what the commands say of themselves")
    func commandLine() async throws {
        let result = try await BatonCommand.run(
            ["--check"], program: BatonCommand.script("cli-reference"), environment: ["BATON": BatonCommand.path])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test("The configuration reference is what config/baton.yaml says")
    func configuration() async throws {
        let result = try await BatonCommand.run(["--check"], program: BatonCommand.script("configuration-reference"))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
