import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// A real nginx that is killed or stopped, and a good origin as second location.
struct NginxTarget: Target {
    let good: OriginsTarget
    let server: NginxServer

    init(good: OriginsTarget) async throws {
        self.good = good
        server = try await NginxServer()
    }

    var backends: [String: String] { ["nginx": #"driver: http, url: "\#(server.url(""))""#] }

    func store(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        [try server.serve(content, as: name), good.store(content, as: name, lane: lane)[0]]
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) {
        server.signal(plan.fault == .nginxKilled ? SIGKILL : SIGSTOP)
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws {
        if plan.fault == .nginxKilled { try await server.revive() } else { server.signal(SIGCONT) }
    }
}
