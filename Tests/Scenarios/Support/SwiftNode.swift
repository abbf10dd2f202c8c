internal import BackendKit
internal import FaultyOrigin
internal import Foundation
internal import Glibc
internal import Synchronization

/// A real OpenStack Swift, as `scripts/swift` runs it: five processes of its own that store below a directory. The user
/// `test:tester` owns it, `test:tester3` may do nothing there; with a Keystone it is alice's.
final class SwiftNode: Sendable {
    private struct State: Decodable {
        let url: String
        let storageURL: String
        let temporaryURLKey: String
        let pids: [String: Int32]

        enum CodingKeys: String, CodingKey {
            case url, pids
            case storageURL = "storage_url"
            case temporaryURLKey = "temp_url_key"
        }
    }

    struct Failed: Error {
        let reason: String
    }

    /// The one that scenarios share which leave it as it was.
    static let shared = Task { try await SwiftNode() }

    let url: String
    let port: Int
    /// The account's URL, and its path.
    let storageURL: String
    let storagePath: String
    let temporaryURLKey: String
    let directory: TestDirectory
    private let keystone: KeystoneProcess?
    private let pids: Mutex<[String: Int32]>

    /// - Parameter keystone: who knows its users; nil for TempAuth.
    init(keystone: KeystoneProcess? = nil) async throws {
        directory = try TestDirectory()
        self.keystone = keystone
        let state = try await Self.start(directory, keystone)
        (url, storageURL, temporaryURLKey) = (state.url, state.storageURL, state.temporaryURLKey)
        port = url.split(separator: ":").last.flatMap { Int($0) } ?? 0
        storagePath = String(storageURL.dropFirst(url.count))
        pids = Mutex(state.pids)
        note(state.pids)
    }

    deinit {
        Leftovers.remove(self)
        for pid in pids.withLock({ $0 }).values { kill(pid, SIGKILL) }
    }

    private static func start(_ directory: TestDirectory, _ keystone: KeystoneProcess?) async throws -> State {
        let arguments = ["start", directory.file("node")] + (keystone.map { ["--keystone", $0.directory.path] } ?? [])
        let started = try await BatonCommand.run(arguments, program: BatonCommand.script("swift"))
        guard started.status == 0 else { throw Failed(reason: started.errors) }
        return try JSONDecoder().decode(
            State.self, from: Data(contentsOf: URL(filePath: directory.file("node/swift.json"))))
    }

    private func note(_ started: [String: Int32]) {
        pids.withLock { $0 = started }
        Leftovers.add(self) { for pid in started.values { kill(pid, SIGKILL) } }
    }

    /// Ends one of its processes at once: account, container, object, proxy or memcached.
    func crash(_ server: String) {
        let rest = pids.withLock { pids in
            if let pid = pids.removeValue(forKey: server) { kill(pid, SIGKILL) }
            return pids
        }
        Leftovers.add(self) { for pid in rest.values { kill(pid, SIGKILL) } }
    }

    /// Starts what has ended again, on the ports that it had.
    func revive() async throws { note(try await Self.start(directory, keystone).pids) }

    /// A token of its owner.
    func logIn() async throws -> String {
        if let keystone { return try await keystone.logIn("alice") }
        let response = try await TestClient.exchange(
            "GET", "/auth/v1.0", port: port, headers: ["X-Auth-User": "test:tester", "X-Auth-Key": "testing"])
        guard let token = response.headers["x-auth-token"] else { throw Unexpected(response: response) }
        return token
    }

    /// Sends a request for an object, or for a container when the key is empty.
    func send(
        _ method: String, _ key: String, in container: String = "images", query: String = "", headers: [String: String] = [:],
        body: String? = nil
    ) async throws {
        let response = try await TestClient.exchange(
            method, path(of: key, in: container) + query, port: port,
            headers: headers.merging(["X-Auth-Token": try await logIn()]) { given, _ in given }, body: body ?? "")
        guard (200...299).contains(response.status) else { throw Unexpected(response: response) }
    }

    /// Stores a content, or a part of it.
    func store(_ content: PatternedContent, _ range: Range<Int64>? = nil, as key: String, in container: String = "images")
        async throws
    {
        let range = range ?? 0..<content.size
        let (port, path, token) = (port, path(of: key, in: container), try await logIn())
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw(
                "PUT \(path) HTTP/1.1\r\nHost: swift\r\nX-Auth-Token: \(token)\r\nContent-Length: \(range.count)\r\n\r\n")
            try client.send(content, range)
            return client.receiveHead()
        }
        guard response.status == 201 else { throw Unexpected(response: response) }
    }

    /// Stores a content in segments of the container `segments`, named `KEY/0` and so on.
    func storeSegments(of content: PatternedContent, as key: String, count: Int64 = 5) async throws {
        try await send("PUT", "", in: "segments")
        for (index, range) in Self.segments(of: content, count: count).enumerated() {
            try await store(content, range, as: "\(key)/\(index)", in: "segments")
        }
    }

    /// Where each of these segments lies in the content.
    static func segments(of content: PatternedContent, count: Int64 = 5) -> [Range<Int64>] {
        (0..<count).map { content.size * $0 / count..<content.size * ($0 + 1) / count }
    }

    /// Makes one object of segments that are there: static by a list of them, or dynamic by the beginning of their names.
    func join(_ content: PatternedContent, as key: String, isStatic: Bool) async throws {
        if isStatic {
            let list = Self.segments(of: content).indices.map { #"{"path": "/segments/\#(key)/\#($0)"}"# }
            try await send("PUT", key, query: "?multipart-manifest=put", body: "[\(list.joined(separator: ", "))]")
        } else {
            try await send("PUT", key, headers: ["X-Object-Manifest": "segments/\(key)/"])
        }
    }

    private func path(of key: String, in container: String) -> String {
        "\(storagePath)/\(container)" + (key.isEmpty ? "" : "/\(LocationURL.encode(path: key))")
    }
}
