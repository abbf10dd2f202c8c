import Foundation
import Glibc

/// A real Ceph radosgw, as `scripts/radosgw` runs it: three processes that store data below a directory.
final class RadosgwProcess: OpenStackSwiftStore {
    /// The instance that all scenarios share.
    static let shared = Task { try await RadosgwProcess() }

    let url: String
    let storageURL: String
    let temporaryURLKey: String
    private let directory: TestDirectory
    private let pids: [Int32]

    init() async throws {
        directory = try TestDirectory()
        let started = try await BatonCommand.run(
            ["start", directory.file("ceph")], program: BatonCommand.script("radosgw"))
        guard started.status == 0 else { throw OpenStackSwiftNode.Failed(reason: started.errors) }
        let state = try JSONDecoder().decode(
            StartedStore.self, from: Data(contentsOf: URL(filePath: directory.file("ceph/radosgw.json"))))
        (url, storageURL, temporaryURLKey) = (state.url, state.storageURL, state.temporaryURLKey)
        let pids = Array(state.pids.values)
        self.pids = pids
        Leftovers.add(self) { for pid in pids { kill(pid, SIGKILL) } }
    }

    deinit {
        Leftovers.remove(self)
        for pid in pids { kill(pid, SIGKILL) }
    }

    func logIn() async throws -> String {
        let response = try await TestClient.exchange(
            "GET", "/auth/v1.0", port: port, headers: ["X-Auth-User": "tester:swift", "X-Auth-Key": "testing"])
        guard let token = response.headers["x-auth-token"] else { throw Unexpected(response: response) }
        return token
    }
}
