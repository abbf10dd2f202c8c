import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// A real Swift whose proxy is killed or whose object server is stopped, and a good origin behind it.
struct OpenStackSwiftPlace: Place {
    let good: OriginsPlace
    let node: OpenStackSwiftNode
    private let key: String

    init(good: OriginsPlace) async throws {
        guard FileManager.default.fileExists(atPath: BatonCommand.script("../.venv-openstack/swift/bin/python")) else {
            throw Unavailable(reason: "Swift is not installed (make test-setup)")
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

    func place(_ content: PatternedContent, as name: String, lane: Int) async throws -> [String] {
        try await node.store(content, as: name)
        return ["swift://swift/\(name)", good.place(content, as: name, lane: lane)[0]]
    }

    func strike(_ plan: PlannedDownload, _ image: StoredImage) {
        if plan.fault == .swiftKilled { node.crash("proxy") } else { node.signal("object", SIGSTOP) }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws {
        if plan.fault == .swiftKilled {
            try await node.revive()
        } else {
            node.signal("object", SIGCONT)
            // The proxy leaves an object server alone for a minute that it has found silent; a new one does not know yet.
            node.crash("proxy")
            try await node.revive()
        }
    }
}
