public import FoundationEssentials
public import ImageCatalog
public import ImageModel
internal import Synchronization

/// Doubts about representations that the catalog has yet to take. Each holds in this process from the moment it arises, so that
/// a catalog that is full or locked lets nobody complete a corrupt file by resuming it.
public final class PendingDoubts: Sendable {
    private struct Doubt {
        let representation: Representation.Name
        var contributors: [LocationID]
        let since: Date
        var isBeingWritten = false
    }

    private struct State {
        var doubts: [Int: Doubt] = [:]
        var count = 0
    }

    /// The downloads that have let unverified bytes out.
    let unverified: UnverifiedDeliveries
    private let catalog: any CatalogStore
    private let state = Mutex(State())

    /// None yet.
    /// - Parameter startedAt: when this process began to serve; what was delivered before is not known.
    public init(catalog: any CatalogStore, startedAt: Date = .now) {
        self.catalog = catalog
        unverified = UnverifiedDeliveries(startedAt: startedAt)
    }

    /// A representation with what is held against it here.
    public func regarding(_ representation: Representation) -> Representation {
        let since = state.withLock { state in
            state.doubts.values.filter { $0.representation == representation.name }.map(\.since).max()
        }
        guard let since else { return representation }
        var doubted = representation
        doubted.isInDoubt = true
        doubted.doubtedAt = max(since, representation.doubtedAt ?? since)
        return doubted
    }

    /// Whether ranges of a representation are served, or the whole alone: they are where they can be verified, and where nobody may
    /// hold wrong bytes that a range would complete.
    public func servesRanges(_ resolution: Resolution, at now: Date = .now) -> Bool {
        guard let representation = resolution.representation.map(regarding), representation.servesRanges(at: now),
            !unverified.concern(representation.name, resolution.locations, manifestMadeAt: resolution.manifest?.madeAt, at: now)
        else { return false }
        return resolution.manifest != nil || resolution.locations.contains(where: \.servesVerifiedRanges)
    }

    /// A whole download begins over these locations with no manifest to verify its chunks.
    /// - Returns: what the record of its end needs; nil where each location was read in full before.
    public func beginUnverified(_ representation: Representation, over locations: [Location]) -> UnverifiedDeliveries.Ticket? {
        unverified.begin(representation.name, from: locations)
    }

    /// Holds a doubt.
    /// - Returns: its number, to have it written down.
    func hold(_ representation: Representation.Name, contributors: [LocationID]) -> Int {
        state.withLock { state in
            // While the catalog takes nothing they must not pile up.
            if let number = state.doubts.first(where: { $1.representation == representation && !$1.isBeingWritten })?.key {
                let known = state.doubts[number]?.contributors ?? []
                state.doubts[number]?.contributors = known + contributors.filter { !known.contains($0) }
                return number
            }
            state.count += 1
            state.doubts[state.count] = Doubt(representation: representation, contributors: contributors, since: .now)
            return state.count
        }
    }

    /// Writes a doubt down, unless somebody else does; it holds here until that is done.
    /// - Throws: `CatalogError`; it is kept then.
    func write(_ number: Int) async throws {
        let doubt = state.withLock { state -> Doubt? in
            guard let doubt = state.doubts[number], !doubt.isBeingWritten else { return nil }
            state.doubts[number]?.isBeingWritten = true
            return doubt
        }
        guard let doubt else { return }
        do {
            try await catalog.recordFailedProof(
                of: doubt.representation.image, format: doubt.representation.format, contributors: doubt.contributors,
                at: doubt.since, actor: "baton", reason: "a download did not match the digest")
            state.withLock { $0.doubts[number] = nil }
        } catch {
            state.withLock { $0.doubts[number]?.isBeingWritten = false }
            throw error
        }
    }

    /// Writes down what the catalog did not take when it arose.
    /// - Throws: `CatalogError` of the first that it does not take now either.
    func writeAll() async throws {
        for number in state.withLock({ $0.doubts.keys.sorted() }) { try await write(number) }
    }
}
