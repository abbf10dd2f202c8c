import Foundation
import Glibc
import Synchronization

/// A real Keystone, as `scripts/keystone` runs it: a process with a fresh copy of a database in which admin, alice (member of
/// a), bob (reader in b), trudy (trusted in a) and baton (service) have accounts.
package final class KeystoneProcess: Sendable {
    /// A user, and the project in which the user has a role.
    package struct User: Decodable, Sendable {
        package let id: String
        package let password: String
        package let project: String
        package let projectID: String

        enum CodingKeys: String, CodingKey {
            case id, password, project
            case projectID = "project_id"
        }
    }

    private struct State: Decodable {
        let url: String
        let pid: Int32
        let users: [String: User]
    }

    package struct Failed: Error {
        package let reason: String
    }

    package let url: String
    package let port: Int
    package let users: [String: User]
    package let directory: TestDirectory
    /// The process id; nil after the process was killed, since another process may get the id.
    private let running: Mutex<Int32?>

    package init() async throws {
        directory = try TestDirectory()
        let started = try await BatonCommand.run(["start", directory.path], program: BatonCommand.script("keystone"))
        guard started.status == 0 else { throw Failed(reason: "status \(started.status): \(started.errors)\(started.output)") }
        let state = try JSONDecoder().decode(
            State.self, from: Data(contentsOf: URL(filePath: directory.file("keystone.json"))))
        (url, users) = (state.url, state.users)
        running = Mutex(state.pid)
        port = url.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let pid = state.pid
        Leftovers.add(self) { kill(pid, SIGKILL) }
    }

    deinit { crash() }

    /// Kills Keystone, which simulates a crash.
    package func crash() {
        Leftovers.remove(self)
        running.withLock { pid in
            if let pid { kill(pid, SIGKILL) }
            pid = nil
        }
    }

    /// Issues a token for a user in the user's project.
    package func logIn(_ name: String) async throws -> String {
        let user = users[name]
        let body = """
            {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "\(name)", \
            "password": "\(user?.password ?? "")", "domain": {"id": "default"}}}}, \
            "scope": {"project": {"id": "\(user?.projectID ?? "")"}}}}
            """
        let response = try await TestClient.exchange("POST", "/v3/auth/tokens", port: port, body: body)
        guard let token = response.headers["x-subject-token"] else { throw Unexpected(response: response) }
        return token
    }

    /// Creates an application credential of a user.
    package func applicationCredential(of name: String) async throws -> (id: String, secret: String) {
        let response = try await TestClient.exchange(
            "POST", "/v3/users/\(users[name]?.id ?? "")/application_credentials", port: port,
            headers: ["X-Auth-Token": try await logIn(name)], body: #"{"application_credential": {"name": "for-baton"}}"#)
        let made = response.json["application_credential"] as? [String: Any]
        guard let id = made?["id"] as? String, let secret = made?["secret"] as? String else {
            throw Unexpected(response: response)
        }
        return (id, secret)
    }

    /// Revokes a token.
    package func revoke(_ token: String) async throws {
        let response = try await TestClient.exchange(
            "DELETE", "/v3/auth/tokens", port: port, headers: ["X-Auth-Token": token, "X-Subject-Token": token])
        guard response.status == 204 else { throw Unexpected(response: response) }
    }
}
