import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// A real nginx that is killed or stopped, and a good origin behind it.
struct NginxPlace: Place {
    let good: OriginsPlace
    let server: NginxServer

    init(good: OriginsPlace) async throws {
        self.good = good
        server = try await NginxServer()
    }

    var backends: [String: String] { ["nginx": #"driver: http, url: "\#(server.url(""))""#] }

    func place(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        [try server.serve(content, as: name), good.place(content, as: name, lane: lane)[0]]
    }

    func strike(_ plan: PlannedDownload, _ image: StoredImage) {
        server.signal(plan.fault == .nginxKilled ? SIGKILL : SIGSTOP)
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws {
        if plan.fault == .nginxKilled { try await server.revive() } else { server.signal(SIGCONT) }
    }
}
