import FaultyOrigin
import Foundation
import Glibc

/// The kinds of backends that can store content.
enum BackendKind: String, CaseIterable, Sendable {
    case http, file, s3, swift
}

/// Content in a store of one kind, and a way to make that store fail.
struct PlacedContent: Sendable {
    /// The entries of the backend's section in a configuration.
    let configuration: String
    /// The location's URL.
    let url: String
    /// Makes the store fail at once: kills a server, or truncates a file.
    let die: @Sendable () throws -> Void
    /// Owns the store's processes, which it kills when the last copy is released.
    private let keeper: Keeper

    private final class Keeper: Sendable {
        private let server: NginxServer?
        private let node: OpenStackSwiftNode?

        init(server: NginxServer? = nil, node: OpenStackSwiftNode? = nil) { (self.server, self.node) = (server, node) }
        deinit { stop() }

        func stop() {
            server?.kill()
            node?.crash("proxy")
        }
    }

    /// Stores the content; s3 and swift each get a new node.
    /// - Parameter id: the backend's id.
    init(_ content: PatternedContent, in kind: BackendKind, as id: String, _ directory: TestDirectory) async throws {
        switch kind {
        case .http:
            let server = try await NginxServer()
            configuration = #"driver: http, url: "\#(server.url(""))""#
            url = try server.serve(content)
            let keeper = Keeper(server: server)
            self.keeper = keeper
            die = { keeper.stop() }
        case .file:
            let root = directory.file(id)
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try content.write(to: "\(root)/x")
            configuration = #"driver: file, root: "\#(root)""#
            url = "file://\(root)/x"
            keeper = Keeper()
            die = { if truncate("\(root)/x", 1000) != 0 { throw POSIXError(.EIO) } }
        case .s3, .swift:
            let node = try await OpenStackSwiftNode()
            try await node.store(content, as: "x")
            let key = try directory.write("testing\n", to: "\(id)-key")
            let rest =
                kind == .s3
                ? #"url: "\#(node.url)", bucket: images, access_key: "test:tester", secret_key_file: "\#(key)""#
                : #"auth_url: "\#(node.url)/auth/v1.0", user: "test:tester", key_file: "\#(key)", container: images"#
            configuration = "driver: \(kind), \(rest)"
            url = "\(kind)://\(id)/x"
            let keeper = Keeper(node: node)
            self.keeper = keeper
            die = { keeper.stop() }
        }
    }
}
