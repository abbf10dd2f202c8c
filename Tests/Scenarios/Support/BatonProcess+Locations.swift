import Foundation
import ImageCatalog
import ImageModel
import Synchronization

/// A Boolean that a test changes while an origin or a hook reads it on another thread.
final class Flag: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { state.withLock { $0 } }

    func set(_ value: Bool = true) { state.withLock { $0 = value } }
}

extension BatonProcess {
    /// The record of a location.
    func location(_ id: String) async throws -> [String: Any] {
        let response = try await send("GET", "/baton/v1/locations/\(id)")
        guard response.status == 200 else { throw Unexpected(response: response) }
        return response.json
    }

    /// Performs an operation on a location.
    @discardableResult
    func operate(
        _ operation: String, on location: String, body: String = #"{"reason": "a test"}"#, query: String = ""
    ) async throws -> TestClient.Response {
        try await send("POST", "/baton/v1/locations/\(location)/\(operation)\(query)", body: body)
    }

    /// The events in a location's history, oldest first.
    func events(of location: String) async throws -> [String] {
        try await history(of: location).map { $0["event"] ?? "" }
    }

    /// A location's history, oldest first.
    func history(of location: String) async throws -> [[String: String]] {
        try await send("GET", "/baton/v1/locations/\(location)/history").json["history"] as? [[String: String]] ?? []
    }

    /// Waits until a location has a status.
    func waitUntil(_ location: String, is status: String, file: String = #fileID, line: Int = #line) async throws {
        try await eventually("\(status) as the status of \(location)", file: file, line: line) {
            try await self.location(location)["status"] as? String == status
        }
    }

    /// Waits until an event is in a location's history at least `count` times.
    func waitUntil(
        _ location: String, has event: String, count: Int = 1, file: String = #fileID, line: Int = #line
    ) async throws {
        try await eventually("\(count) × \(event) in the history of \(location)", file: file, line: line) {
            try await events(of: location).count { $0 == event } >= count
        }
    }

    /// Waits until all locations of an image have been verified in full.
    func waitUntilVerified(_ image: String, file: String = #fileID, line: Int = #line) async throws {
        try await eventually("all locations of \(image) to be verified", file: file, line: line) {
            try await locations(of: image).allSatisfy { $0["verified_at"] is String }
        }
    }

    /// Requests a full read of every location of an image, and waits for the results and the manifest.
    func verifyLocations(of image: String) async throws {
        for location in try await locations(of: image) {
            guard let id = location["id"] as? String else { continue }
            try await operate("verify", on: id)
        }
        try await waitUntilVerified(image)
        _ = try await manifest(of: image)
    }

    /// Verifies all locations of an image and deletes the manifest, so that ranges come only from locations that were read in
    /// full and whose object is unchanged.
    func verifyLocationsAndForgetManifest(of image: String) async throws {
        try await verifyLocations(of: image)
        let catalog = try openCatalog()
        guard let id = ImageID(image), let stored = try await catalog.resolve(id, format: RequestedFormat())?.manifest,
            try await catalog.forgetManifest(stored)
        else { throw CatalogError.unknownImage(ImageID(image) ?? ImageID()) }
    }

    /// Adds a location without a declared size or digest.
    /// - Returns: the id of the location.
    func addUnknownLocation(_ url: String, to image: String, extra: String = "") async throws -> String {
        let response = try await send(
            "POST", "/baton/v1/images/\(image)/locations", body: #"{"url": "\#(url)"\#(extra)}"#)
        guard response.status == 201, let id = response.json["id"] as? String else { throw Unexpected(response: response) }
        return id
    }

    /// The backends in the order in which a download would try them, best first.
    func explained(_ image: String, query: String = "") async throws -> [String] {
        let response = try await send("GET", "/baton/v1/images/\(image)/explain\(query)")
        return (response.json["ranked"] as? [[String: Any]])?.map { $0["backend"] as? String ?? "" } ?? []
    }
}

extension BatonProcess {
    /// Settings with long timeouts for scenarios with real stores, which may be slow on a busy machine. These scenarios test
    /// failures, not stalls.
    static let timeout =
        "relay: { connect_timeout: 10s, stall_timeout: 30s, give_up_after: 60s, revisits: 1000, backoff_limit: 200ms }"
}
