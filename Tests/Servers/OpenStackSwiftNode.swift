import Foundation
import Glibc
import Synchronization

/// A real OpenStack Swift, as `scripts/openstack-swift` runs it: five processes that store data below a directory. The user
/// `test:tester` owns the account, and `test:tester3` has no rights in it. With a Keystone, alice owns the account.
package final class OpenStackSwiftNode: OpenStackSwiftStore {
    package struct Failed: Error {
        package let reason: String

        package init(reason: String) { self.reason = reason }
    }

    /// The node for scenarios that do not stop or break it.
    package static let shared = Task { try await OpenStackSwiftNode() }

    package let url: String
    package let storageURL: String
    package let temporaryURLKey: String
    package let directory: TestDirectory
    private let keystone: KeystoneProcess?
    private let pids: Mutex<[String: Int32]>

    /// Starts a node.
    /// - Parameter keystone: the Keystone that authenticates users; nil for TempAuth.
    package init(keystone: KeystoneProcess? = nil) async throws {
        directory = try TestDirectory()
        self.keystone = keystone
        let state = try await Self.start(directory, keystone)
        (url, storageURL, temporaryURLKey) = (state.url, state.storageURL, state.temporaryURLKey)
        pids = Mutex(state.pids)
        note(state.pids)
    }

    deinit {
        Leftovers.remove(self)
        for pid in pids.withLock({ $0 }).values { kill(pid, SIGKILL) }
    }

    private static func start(_ directory: TestDirectory, _ keystone: KeystoneProcess?) async throws -> StartedStore {
        let arguments = ["start", directory.file("node")] + (keystone.map { ["--keystone", $0.directory.path] } ?? [])
        let started = try await BatonCommand.run(arguments, program: BatonCommand.script("openstack-swift"))
        guard started.status == 0 else { throw Failed(reason: "status \(started.status): \(started.errors)\(started.output)") }
        return try JSONDecoder().decode(
            StartedStore.self, from: Data(contentsOf: URL(filePath: directory.file("node/swift.json"))))
    }

    private func note(_ started: [String: Int32]) {
        pids.withLock { $0 = started }
        Leftovers.add(self) { for pid in started.values { kill(pid, SIGKILL) } }
    }

    /// Kills one process of the node: account, container, object, proxy or memcached.
    package func crash(_ server: String) {
        let rest = pids.withLock { pids in
            if let pid = pids.removeValue(forKey: server) { kill(pid, SIGKILL) }
            return pids
        }
        Leftovers.add(self) { for pid in rest.values { kill(pid, SIGKILL) } }
    }

    /// Sends one process of the node a signal that does not end it.
    package func signal(_ server: String, _ signal: Int32) {
        pids.withLock { if let pid = $0[server] { kill(pid, signal) } }
    }

    /// Restarts killed processes on the same ports.
    package func revive() async throws { note(try await Self.start(directory, keystone).pids) }

    /// Inverts a byte of the only object of a size on the object server's disk.
    /// - Throws: `Failed` if there is no such object.
    package func rot(size: Int64, at offset: UInt64) throws {
        let disk = URL(filePath: directory.file("node/devices/disk/objects"))
        let files = FileManager.default.enumerator(at: disk, includingPropertiesForKeys: [.fileSizeKey])
        for case let file as URL in files ?? .init() where file.pathExtension == "data" {
            let found = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize
            guard found == Int(size) else { continue }
            let handle = try FileHandle(forUpdating: file)
            try handle.seek(toOffset: offset)
            let byte = try handle.read(upToCount: 1)?.first ?? 0
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data([~byte]))
            return try handle.close()
        }
        throw Failed(reason: "no object of \(size) bytes is on the disk")
    }

    /// Issues a token of the account's owner.
    package func logIn() async throws -> String {
        if let keystone { return try await keystone.logIn("alice") }
        let response = try await TestClient.exchange(
            "GET", "/auth/v1.0", port: port, headers: ["X-Auth-User": "test:tester", "X-Auth-Key": "testing"])
        guard let token = response.headers["x-auth-token"] else { throw Unexpected(response: response) }
        return token
    }
}
