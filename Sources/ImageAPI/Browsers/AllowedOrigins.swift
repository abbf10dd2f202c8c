/// The web pages that browsers may let talk to this server (`server.cors_origins`).
struct AllowedOrigins: Sendable, Equatable {
    private let origins: Set<String>

    /// - Parameter origins: as browsers write them, `https://console.example:8443`, or `*` for all.
    init(_ origins: [String]) { self.origins = Set(origins.map { $0.lowercased() }) }

    /// Whether no page may.
    var isEmpty: Bool { origins.isEmpty }

    /// Whether every page may.
    var isEverybody: Bool { origins.contains("*") }

    /// Whether the page of this origin may. `null` is everybody's who hides theirs, and so nobody's.
    func contains(_ origin: String) -> Bool {
        isEverybody || (origin != "null" && origins.contains(origin.lowercased()))
    }
}
