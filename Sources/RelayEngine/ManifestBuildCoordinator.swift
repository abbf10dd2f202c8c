import ImageModel

/// Selects the downloads that build manifests. One download per representation suffices. If it takes long, for example for a
/// slow client, another one may begin each minute.
struct ManifestBuildCoordinator: Sendable {
    static let timeout: Duration = .seconds(60)

    private struct Makers {
        var count = 0
        var lastBegan: ContinuousClock.Instant
    }

    private var makers: [Representation.Name: Makers] = [:]

    /// - Returns: whether a download that begins now builds the manifest; its end must then be reported.
    mutating func begin(_ name: Representation.Name, at now: ContinuousClock.Instant) -> Bool {
        if let known = makers[name], now - known.lastBegan < Self.timeout { return false }
        makers[name, default: Makers(lastBegan: now)].count += 1
        makers[name]?.lastBegan = now
        return true
    }

    /// Records the end of a download that was to build the manifest, whether it succeeded or not.
    mutating func end(_ name: Representation.Name) {
        makers[name]?.count -= 1
        if makers[name]?.count == 0 { makers[name] = nil }
    }
}
