/// The web pages that browsers may let talk to this server (`server.cors_origins`).
struct AllowedOrigins: Sendable, Equatable {
    private let origins: Set<String>

    /// - Parameter origins: such as `https://console.example:8443`, or `*` for all.
    init(_ origins: [String]) { self.origins = Set(origins.map(Self.origin(of:))) }

    /// Whether no page may.
    var isEmpty: Bool { origins.isEmpty }

    /// Whether every page may.
    var isEverybody: Bool { origins.contains("*") }

    /// Whether the page of this origin may. `null` is everybody's who hides theirs, and so nobody's.
    func contains(_ origin: String) -> Bool {
        isEverybody || (origin != "null" && origins.contains(origin.lowercased()))
    }
}

extension AllowedOrigins {
    /// An origin as browsers write it: in lower case, without the scheme's own port.
    static func origin(scheme: String, _ host: HostField) -> String {
        let isUsual = host.port == (scheme == "https" ? 443 : 80)
        let name = host.host.contains(":") ? "[\(host.host)]" : host.host
        return "\(scheme)://\(name)" + (isUsual ? "" : host.port.map { ":\($0)" } ?? "")
    }

    /// The origin of a URL as browsers write it. What is no URL stays as it is.
    static func origin(of url: String) -> String {
        let text = url.lowercased()
        guard let scheme = ["https", "http"].first(where: { text.hasPrefix($0 + "://") }),
            let host = HostField(text.dropFirst(scheme.count + 3).prefix { $0 != "/" })
        else { return text }
        return origin(scheme: scheme, host)
    }
}
