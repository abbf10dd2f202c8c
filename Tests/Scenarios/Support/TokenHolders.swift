import Access
import Foundation

/// A tokens file with one caller for each role.
struct TokenHolders {
    /// The names of the callers, which are their roles; `nobody` has no role. The file also has `late`, whose token has
    /// expired, and `other`, a member of another project.
    static let names = Caller.Role.allCases.map(\.rawValue) + ["nobody"]

    let directory: TestDirectory

    init() throws {
        directory = try TestDirectory()
        try write(Self.file)
    }

    static func token(of name: String) -> String { "hush-\(name)-5ee7" }

    static func line(_ name: String, _ rest: String) -> String { "\(TokenDigest(of: token(of: name))) \(name) \(rest)\n" }

    private static var file: String {
        var text = ""
        for role in Caller.Role.allCases { text += line(role.rawValue, "p \(role.rawValue)") }
        return text + line("nobody", "p -") + line("late", "p admin 2020-01-01T00:00:00Z") + line("other", "q member")
    }

    /// Writes the original file with further lines.
    func add(_ lines: String) throws { try write(Self.file + lines) }

    /// Replaces the tokens file.
    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: directory.file("tokens")), options: .atomic)
    }

    var settings: String { "auth: { mode: tokens, tokens_file: \"\(directory.file("tokens"))\" }" }

    /// Starts a server with the tokens file. Requests use the admin's token by default.
    func server(backends: [String: String] = [:], logLevel: String = "info") async throws -> BatonProcess {
        try await BatonProcess(
            backends: backends, settings: settings, directory: directory, token: Self.token(of: "admin"), logLevel: logLevel)
    }
}

extension BatonProcess {
    /// Sends a request with the token of a caller.
    func send(
        _ method: String, _ path: String, as name: String, body: String? = nil
    ) async throws -> TestClient.Response {
        try await send(method, path, headers: ["X-Auth-Token": TokenHolders.token(of: name)], body: body)
    }
}
