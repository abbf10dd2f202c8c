/// The address of a listening socket: `127.0.0.1:9292`, `[::1]:9292`, `localhost:0`, `unix:/run/baton/baton.sock`.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name or an IP address without brackets; empty for a socket file.
    package let host: String
    /// The port; 0 selects any free port.
    package let port: Int
    /// The absolute path of the socket file; nil for a host.
    package let socketFile: String?

    /// The address of a server whose configuration names none.
    package static let standard = ListenAddress(host: "127.0.0.1", port: 9292)

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
        socketFile = nil
    }

    private init(socketFile: String) {
        host = ""
        port = 0
        self.socketFile = socketFile
    }

    /// Parses `host:port`, `[v6]:port`, or `unix:` and an absolute path; nil for anything else.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            // Linux accepts 107 bytes of a path.
            guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count < 108, !path.utf8.contains(0) else { return nil }
            self.init(socketFile: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains("/"), !host.contains(" ") else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    /// Whether only this machine can reach the address. Names other than `localhost` are not resolved and count as reachable.
    package var isLoopback: Bool {
        if socketFile != nil || host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && parts[0] == "127"
    }

    /// `host:port` with the brackets of an IPv6 address, or `unix:` and the path.
    package var description: String {
        if let socketFile { return "unix:\(socketFile)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
