import ImageModel

/// Which downloads make a manifest on their way. One for each representation, since computing twice what is kept once is for
/// nothing; but where that one takes its time, as for a client that is slow, another may begin each minute.
struct ManifestBuildCoordinator: Sendable {
    static let timeout: Duration = .seconds(60)

    private struct Makers {
        var count = 0
        var lastBegan: ContinuousClock.Instant
    }

    private var makers: [Representation.Name: Makers] = [:]

    /// - Returns: whether a download that begins now is to make it; its end is to be told then.
    mutating func begin(_ name: Representation.Name, at now: ContinuousClock.Instant) -> Bool {
        if let known = makers[name], now - known.lastBegan < Self.timeout { return false }
        makers[name, default: Makers(lastBegan: now)].count += 1
        makers[name]?.lastBegan = now
        return true
    }

    /// A download that was to make it is over, however it went.
    mutating func end(_ name: Representation.Name) {
        makers[name]?.count -= 1
        if makers[name]?.count == 0 { makers[name] = nil }
    }
}
