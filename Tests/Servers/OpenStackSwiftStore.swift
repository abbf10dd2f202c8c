import BackendKit
package import FaultyOrigin
import Foundation

/// The description of a started store, which the script writes.
package struct StartedStore: Decodable {
    package let url: String
    package let storageURL: String
    package let temporaryURLKey: String
    package let pids: [String: Int32]

    enum CodingKeys: String, CodingKey {
        case url, pids
        case storageURL = "storage_url"
        case temporaryURLKey = "temp_url_key"
    }
}

/// A real store with OpenStack Swift's API in which tests store objects.
package protocol OpenStackSwiftStore: Sendable {
    /// The URL of the server.
    var url: String { get }
    /// The URL of the account.
    var storageURL: String { get }
    /// The key that signs temporary URLs.
    var temporaryURLKey: String { get }
    /// Issues a token of the account's owner.
    func logIn() async throws -> String
}

extension OpenStackSwiftStore {
    package var port: Int { url.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

    /// Sends a request for an object, or for a container when the key is empty.
    package func send(
        _ method: String, _ key: String, in container: String = "images", query: String = "", headers: [String: String] = [:],
        body: String? = nil
    ) async throws {
        let response = try await TestClient.exchange(
            method, path(of: key, in: container) + query, port: port,
            headers: headers.merging(["X-Auth-Token": try await logIn()]) { given, _ in given }, body: body ?? "")
        guard (200...299).contains(response.status) else { throw Unexpected(response: response) }
    }

    /// Stores content, or a range of it, as an object.
    package func store(
        _ content: PatternedContent, _ range: Range<Int64>? = nil, as key: String, in container: String = "images"
    )
        async throws
    {
        let range = range ?? 0..<content.size
        let (port, path, token) = (port, path(of: key, in: container), try await logIn())
        let response = try await onOwnThread {
            let client = try TestClient(port: port)
            try client.sendRaw(
                "PUT \(path) HTTP/1.1\r\nHost: swift\r\nX-Auth-Token: \(token)\r\nContent-Length: \(range.count)\r\n"
                    + "Expect: 100-continue\r\n\r\n")
            let first = client.receiveHead()
            guard first.status == 100 else { return first }
            try client.send(content, range)
            return client.receiveHead()
        }
        guard response.status == 201 else { throw Unexpected(response: response) }
    }

    /// Stores content as objects in the container `segments`, with the names `KEY/0`, `KEY/1` and so on.
    package func storeSegments(of content: PatternedContent, as key: String, count: Int64 = 5) async throws {
        try await send("PUT", "", in: "segments")
        for (index, range) in Self.segments(of: content, count: count).enumerated() {
            try await store(content, range, as: "\(key)/\(index)", in: "segments")
        }
    }

    /// The range of each segment in the content; the ranges are of nearly equal length.
    package static func segments(of content: PatternedContent, count: Int64 = 5) -> [Range<Int64>] {
        (0..<count).map { content.size * $0 / count..<content.size * ($0 + 1) / count }
    }

    /// Creates a large object of stored segments: a static one from their list, or a dynamic one from the prefix of their
    /// names.
    package func join(_ content: PatternedContent, as key: String, isStatic: Bool) async throws {
        if isStatic {
            let list = Self.segments(of: content).indices.map { #"{"path": "/segments/\#(key)/\#($0)"}"# }
            try await send("PUT", key, query: "?multipart-manifest=put", body: "[\(list.joined(separator: ", "))]")
        } else {
            try await send("PUT", key, headers: ["X-Object-Manifest": "segments/\(key)/"])
        }
    }

    private func path(of key: String, in container: String) -> String {
        "\(storageURL.dropFirst(url.count))/\(container)" + (key.isEmpty ? "" : "/\(LocationURL.encode(path: key))")
    }
}
