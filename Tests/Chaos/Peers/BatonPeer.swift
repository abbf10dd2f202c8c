import ChaosPlan
import FaultyOrigin
import Foundation
import Servers
import Synchronization

/// Baton, as built beside this program.
final class BatonPeer: Peer {
    let name = "Baton"
    let process: BatonProcess
    private let ids = Mutex<[String: String]>([:])

    /// In seconds.
    static let stallTimeout = 1.0

    /// The location that the plan expects must be the one that serves, even when it failed a moment ago: locations rank as registered,
    /// without penalties, and breakers hardly open. All other settings are the defaults, except timeouts that suit the length of a run.
    private static let settings = """
        relay: { connect_timeout: 1s, stall_timeout: \(Int(stallTimeout))s, give_up_after: 20s }
        selection: { strategy: ordered, penalty: 0s, breaker_failures: 1000 }

        """

    init(backends: [String: String], directory: TestDirectory, environment: [String: String], wrapper: [String]) async throws {
        process = try await BatonProcess(
            backends: backends, settings: Self.settings, directory: directory, environment: environment,
            wrapper: wrapper)
    }

    func prepare(_ image: StoredImage) async throws {
        let id = try await process.addImage()
        for url in image.urls {
            let response = try await process.send(
                "POST", "/baton/v1/images/\(id)/locations",
                body: #"{"url": "\#(url)", "size": \#(image.content.size), "digests": {"sha256": "\#(image.sha256)"}}"#)
            guard response.status == 201, response.json["status"] as? String == "active" else {
                throw Unfit(peer: name, image: image.name, remark: response.text)
            }
        }
        ids.withLock { $0[image.name] = id }
        try await readUndisturbed(image)
    }

    func read(_ plan: PlannedDownload, _ image: StoredImage, inject: @escaping @Sendable () throws -> Void) async throws
        -> Reading
    {
        let path = "/v2/images/\(id(of: image))/file"
        let port = process.port
        return try await onOwnThread { try Reading(plan, of: image.content, at: path, port: port, inject: inject) }
    }

    /// A location that served a wrong byte is suspect: it ranks last until it has been read alone and cleared, and the plan could not
    /// hit it. If that read quarantined it before it was repaired, it is verified once more.
    func settle(_ image: StoredImage, after reading: Reading) async throws {
        let id = id(of: image)
        for _ in 0..<600 {
            // A location becomes suspect no later than that line is written.
            let isRecorded = reading.request.map { hasRecorded($0) } ?? true
            let locations = try await process.locations(of: id)
            let areGood = locations.allSatisfy { $0["status"] as? String == "active" && $0["suspect"] as? Bool != true }
            if isRecorded, areGood { return }
            for location in locations where location["status"] as? String == "quarantined" {
                let path = "/baton/v1/locations/\(location["id"] as? String ?? "")/verify"
                _ = try await process.send("POST", path, body: #"{"reason": "repaired"}"#)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Unfit(peer: name, image: image.name, remark: "a repaired location does not serve again")
    }

    /// Whether Baton has recorded the outcome of a download: that log line comes last.
    private func hasRecorded(_ request: String) -> Bool {
        process.log.contains { $0.event == "download.finished" && $0["request"] == request }
    }

    /// The log lines of a request.
    func log(of request: String) -> [String] {
        process.rawLog.split(separator: "\n").filter { $0.contains(request) }.map(String.init)
    }

    /// Waits until all images have a manifest, which is made once their first download is verified.
    func waitForManifests() async throws {
        let missing = #"baton_representations{manifest="missing"} 0"#
        for _ in 0..<600 {
            if try await process.send("GET", "/metrics").text.contains(missing) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Unfit(peer: name, image: "all", remark: "some images have no manifest a minute after their download")
    }

    private func id(of image: StoredImage) -> String { ids.withLock { $0[image.name] ?? "" } }
}
