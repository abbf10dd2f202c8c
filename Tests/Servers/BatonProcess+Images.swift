package import FaultyOrigin
import Foundation
package import ImageModel
import Integrity

extension PatternedContent {
    /// The SHA-256 of the content in hexadecimal digits.
    package var sha256: String { digest(.sha256) }

    /// A digest of the content in hexadecimal digits.
    package func digest(_ algorithm: DigestAlgorithm) -> String {
        let stream = DigestStream(algorithm)
        var offset: Int64 = 0
        while offset < size {
            offset += withBytes(at: offset, limit: Int(min(size - offset, 1 << 20))) { bytes in
                stream.update(bytes)
                return Int64(bytes.count)
            }
        }
        return stream.finish().hex
    }

    /// Writes the content to a file.
    package func write(to path: String) throws {
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        var offset: Int64 = 0
        while offset < size {
            offset += try withBytes(at: offset, limit: Int(min(size - offset, 1 << 20))) { bytes in
                try file.write(contentsOf: Data(bytes))
                return Int64(bytes.count)
            }
        }
        try file.close()
    }
}

/// A response that a test did not expect.
package struct Unexpected: Error {
    package let response: TestClient.Response

    package init(response: TestClient.Response) { self.response = response }
}

extension BatonProcess {
    /// Sends a request with the process's token.
    package func send(_ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil) async throws
        -> TestClient.Response
    {
        try await TestClient.exchange(method, path, port: port, headers: identified(headers), body: body)
    }

    /// Creates an image without locations.
    /// - Returns: its id.
    package func addImage() async throws -> String {
        let response = try await send(
            "POST", "/v2/images", body: #"{"name": "test", "disk_format": "raw", "container_format": "bare"}"#)
        guard response.status == 201, let id = response.json["id"] as? String else { throw Unexpected(response: response) }
        return id
    }

    /// Adds locations of the same content in the order of `urls`, with its size and SHA-256.
    /// - Parameter extra: further members of the JSON body, with a leading comma.
    /// - Returns: the ids of the locations.
    @discardableResult
    package func addLocations(
        _ urls: [String], to image: String, of content: PatternedContent, extra: String = ""
    ) async throws -> [String] {
        let sha256 = content.sha256
        var ids: [String] = []
        for url in urls {
            let response = try await send(
                "POST", "/baton/v1/images/\(image)/locations",
                body: #"{"url": "\#(url)", "size": \#(content.size), "digests": {"sha256": "\#(sha256)"}\#(extra)}"#)
            guard response.status == 201, let id = response.json["id"] as? String else { throw Unexpected(response: response) }
            ids.append(id)
        }
        return ids
    }

    /// Creates an image with a location for each URL.
    /// - Returns: the id of the image.
    package func addImage(of content: PatternedContent, at urls: [String]) async throws -> String {
        let image = try await addImage()
        try await addLocations(urls, to: image, of: content)
        return image
    }

    /// The values on a page of metrics, each by its name with labels, e.g. `baton_locations{status="active"}`.
    package static func metrics(in page: TestClient.Response) -> [String: Double] {
        var numbers: [String: Double] = [:]
        for line in page.text.split(separator: "\n") where !line.hasPrefix("#") {
            let halves = line.split(separator: " ")
            if halves.count == 2 { numbers[String(halves[0])] = Double(halves[1]) }
        }
        return numbers
    }

    /// The current value of a metric.
    /// - Parameter name: the name with labels, as on the page.
    package func metric(_ name: String) async throws -> Double {
        let page = try await send("GET", "/metrics")
        guard let number = Self.metrics(in: page)[name] else { throw Unexpected(response: page) }
        return number
    }

    /// The records of an image's locations, in order of registration.
    package func locations(of image: String) async throws -> [[String: Any]] {
        let response = try await send("GET", "/baton/v1/images/\(image)/locations")
        return response.json["locations"] as? [[String: Any]] ?? []
    }

    /// Downloads an image and compares every byte with `content` from `offset` on.
    package func download(
        _ image: String, of content: PatternedContent, headers: [String: String] = [:], from offset: Int64 = 0
    ) async throws -> TestClient.Response {
        try await TestClient.exchange(
            "GET", "/v2/images/\(image)/file", port: port, headers: identified(headers), expected: (content, offset))
    }

    /// Adds the process's token, unless the headers have one.
    private func identified(_ headers: [String: String]) -> [String: String] {
        guard let token, headers["X-Auth-Token"] == nil, headers["Authorization"] == nil else { return headers }
        return headers.merging(["X-Auth-Token": token]) { given, _ in given }
    }
}

extension TestClient.Response {
    /// The body as a JSON object; empty if it is not one.
    package var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
    }

    /// The message of an error in JSON; empty if there is none.
    package var errorMessage: String { (json["error"] as? [String: Any])?["message"] as? String ?? "" }
}

extension BatonProcess {
    /// Starts a server with a backend for each origin, whose key is the backend's id.
    package convenience init(
        origins: [String: FaultyOrigin], settings: String = "", in directory: TestDirectory? = nil,
        onSpawn: (Int32) -> Void = { _ in }
    ) async throws {
        try await self.init(
            backends: origins.mapValues { #"driver: http, url: "\#($0.url(""))""# }, settings: settings,
            directory: directory, onSpawn: onSpawn)
    }
}
