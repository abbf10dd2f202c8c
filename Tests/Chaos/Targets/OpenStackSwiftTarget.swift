import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// A real OpenStack Swift whose proxy is killed or whose object server is stopped, and a good origin as second location.
struct OpenStackSwiftTarget: Target {
    let good: OriginsTarget
    let node: OpenStackSwiftNode
    private let key: String

    init(good: OriginsTarget) async throws {
        guard FileManager.default.fileExists(atPath: BatonCommand.script("../.venv-openstack/swift/bin/python")) else {
            throw Unavailable(reason: "OpenStack Swift is not installed (make test-setup)")
        }
        self.good = good
        node = try await OpenStackSwiftNode()
        key = try node.directory.write("testing\n", to: "chaos-key")
    }

    var backends: [String: String] {
        [
            "swift": #"driver: swift, auth_url: "\#(node.url)/auth/v1.0", user: "test:tester", key_file: "\#(key)", "#
                + "container: images"
        ]
    }

    func store(_ content: PatternedContent, as name: String, lane: Int) async throws -> [String] {
        try await node.store(content, as: name)
        return ["swift://swift/\(name)", good.store(content, as: name, lane: lane)[0]]
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) {
        if plan.fault == .swiftKilled { node.crash("proxy") } else { node.signal("object", SIGSTOP) }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws {
        if plan.fault == .swiftKilled {
            try await node.revive()
        } else {
            node.signal("object", SIGCONT)
            // The proxy avoids a silent object server for a minute; a restarted proxy has no such memory.
            node.crash("proxy")
            try await node.revive()
        }
    }
}
