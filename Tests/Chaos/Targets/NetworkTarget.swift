import ChaosPlan
import FaultyOrigin
import Foundation
import Glibc
import Servers

/// A real nginx in its own network namespace, whose link is taken down so that packets vanish, and a good origin as second location.
struct NetworkTarget: Target {
    let good: OriginsTarget
    let server: NginxServer
    private let url: String

    private static let ip = "/usr/sbin/ip"
    private static let ends = (here: "batonchaos0", there: "batonchaos1")

    init(good: OriginsTarget) async throws {
        guard OwnNetwork.isEntered else { throw Unavailable(reason: "network namespaces need root") }
        self.good = good
        server = try await NginxServer(isInOwnNetwork: true)
        let there = "\(server.processID)"
        let isApart = {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(there)/ns/net"))
                != (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net"))
        }
        for _ in 0..<1000 where !isApart() { usleep(2_000) }
        try execute(Self.ip, "link", "add", Self.ends.here, "type", "veth", "peer", "name", Self.ends.there, "netns", there)
        try execute(Self.ip, "addr", "add", "10.213.77.1/30", "dev", Self.ends.here)
        try execute(Self.ip, "link", "set", Self.ends.here, "up")
        try execute("/usr/bin/nsenter", "-t", there, "-n", Self.ip, "addr", "add", "10.213.77.2/30", "dev", Self.ends.there)
        url = "http://10.213.77.2:\(server.port)/"
        try setLink("up")
    }

    private func setLink(_ state: String) throws {
        try execute("/usr/bin/nsenter", "-t", "\(server.processID)", "-n", Self.ip, "link", "set", Self.ends.there, state)
    }

    var backends: [String: String] { ["network": #"driver: http, url: "\#(url)""#] }

    func store(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        _ = try server.serve(content, as: name)
        return [url + name, good.store(content, as: name, lane: lane)[0]]
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) throws { try setLink("down") }
    func repair(_ plan: PlannedDownload, _ image: StoredImage) throws { try setLink("up") }
}
