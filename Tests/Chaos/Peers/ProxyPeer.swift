import ChaosPlan
import FaultyOrigin
import Foundation
import Servers

/// A web proxy in front of the same locations: it tries the first, and the others when that one fails.
final class ProxyPeer: Peer {
    /// Which proxy.
    enum Kind: String, CaseIterable, Sendable {
        case nginx
        case haproxy = "HAProxy"

        var program: String { self == .nginx ? "/usr/sbin/nginx" : "/usr/sbin/haproxy" }
    }

    let name: String
    private let port: Int
    private let directory: TestDirectory
    private let process: Process

    /// - Parameter images: all images that it will serve; those of a lane have the same locations.
    init(_ kind: Kind, for images: [StoredImage]) async throws {
        guard FileManager.default.isExecutableFile(atPath: kind.program) else {
            throw Unavailable(reason: "\(kind.rawValue) is not installed")
        }
        name = kind.rawValue
        let port = try FaultyOrigin.refusedPort()
        self.port = port
        directory = try TestDirectory()
        let groups = Dictionary(images.map { (Self.group(of: $0.name), $0.urls.compactMap(Self.authority)) }) { first, _ in
            first
        }
        .sorted { $0.key < $1.key }
        let text = kind == .nginx ? Self.nginx(port, groups, directory) : Self.haproxy(port, groups)
        let file = try directory.write(text, to: "proxy.conf")
        let process = Process()
        process.executableURL = URL(filePath: kind.program)
        process.arguments = kind == .nginx ? ["-e", directory.file("error.log"), "-c", file] : ["-db", "-f", file]
        for stream in [\Process.standardInput, \.standardOutput, \.standardError] {
            process[keyPath: stream] = FileHandle.nullDevice
        }
        try process.run()
        self.process = process
        Leftovers.add(process) { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        try await onOwnThread {
            while (try? TestClient(port: port)) == nil {
                guard process.isRunning else { throw Unavailable(reason: "\(kind.rawValue) does not start") }
            }
        }
    }

    deinit {
        Leftovers.remove(process)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func prepare(_ image: StoredImage) async throws { try await readUndisturbed(image) }

    func read(_ plan: PlannedDownload, _ image: StoredImage, inject: @escaping @Sendable () throws -> Void) async throws
        -> Reading
    {
        let port = port
        return try await onOwnThread { try Reading(plan, of: image.content, at: "/\(image.name)", port: port, inject: inject) }
    }

    /// The part of an image's name that all images of its lane share.
    private static func group(of name: String) -> String { String(name.prefix(upTo: name.lastIndex(of: "-") ?? name.endIndex)) }

    private static func authority(_ url: String) -> String? {
        URL(string: url).flatMap { url in url.host.flatMap { host in url.port.map { "\(host):\($0)" } } }
    }

    /// No spilling to disk, large buffers, the next server on every failure that nginx recognises, the timeouts of the run.
    private static func nginx(_ port: Int, _ groups: [(key: String, value: [String])], _ directory: TestDirectory) -> String {
        let upstreams = groups.map { name, servers in
            let lines = servers.enumerated().map { "server \($1) max_fails=0\($0 == 0 ? "" : " backup");" }
            return "upstream \(name) { \(lines.joined(separator: " ")) keepalive 16; }"
        }
        let locations = groups.map { name, _ in "location /\(name)- { proxy_pass http://\(name); }" }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory.file($0));" }
        return """
            daemon off; master_process off; pid \(directory.file("pid"));
            events { worker_connections 1024; }
            http {
                access_log off; \(temporary.joined(separator: " "))
                \(upstreams.joined(separator: "\n    "))
                proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_buffer_size 256k; proxy_buffers 16 256k; proxy_busy_buffers_size 1m; proxy_max_temp_file_size 0;
                proxy_connect_timeout 1s; proxy_read_timeout 1s;
                proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504 http_403 http_404 http_429;
                server {
                    listen 127.0.0.1:\(port);
                    \(locations.joined(separator: "\n        "))
                }
            }

            """
    }

    /// Retries everything that can be retried, at another server each time; the timeouts of the run.
    private static func haproxy(_ port: Int, _ groups: [(key: String, value: [String])]) -> String {
        let rules = groups.map { name, _ in "    use_backend \(name) if { path_beg /\(name)- }" }
        let backends = groups.map { name, servers in
            "backend \(name)\n    balance first\n"
                + servers.enumerated().map { "    server s\($0) \($1) maxconn 1000\n" }.joined()
        }
        return """
            global
                maxconn 2000
            defaults
                mode http
                timeout client 60s
                timeout connect 1s
                timeout server 1s
                retries 3
                option redispatch 1
                retry-on all-retryable-errors
            frontend clients
                bind 127.0.0.1:\(port)
            \(rules.joined(separator: "\n"))
            \(backends.joined(separator: "\n"))

            """
    }
}
