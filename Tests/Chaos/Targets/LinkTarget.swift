import ChaosPlan
import FaultyOrigin
import Foundation
import Glibc
import Servers

/// A real nginx behind a TCP forwarder that delays, limits or blocks its traffic, and a good origin as second location.
struct LinkTarget: Target {
    let good: OriginsTarget
    let server: NginxServer
    let link: ImpairedLink

    init(good: OriginsTarget) async throws {
        self.good = good
        server = try await NginxServer()
        link = try ImpairedLink(to: server.port)
    }

    var backends: [String: String] { ["link": #"driver: http, url: "http://127.0.0.1:\#(link.port)/""#] }

    func store(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        _ = try server.serve(content, as: name)
        return ["http://127.0.0.1:\(link.port)/\(name)", good.store(content, as: name, lane: lane)[0]]
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) {
        switch plan.fault {
        case .linkSlow: link.set(.slow(bytesPerSecond: 32 << 20))
        case .linkPause:
            link.set(.silent)
            Thread.detachNewThread { [link] in
                usleep(300_000)
                link.set(.clear)
            }
        default: link.set(.silent)
        }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) { link.set(.clear) }
}
