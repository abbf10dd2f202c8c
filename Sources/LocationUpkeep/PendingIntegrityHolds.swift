package import FoundationEssentials
package import ImageCatalog
package import ImageModel
import Synchronization

/// IntegrityHolds about representations that the catalog has yet to take. Each holds in this process from the moment it arises, so that
/// a catalog that is full or locked lets nobody complete a corrupt file by resuming it.
package final class PendingIntegrityHolds: Sendable {
    private struct IntegrityHold {
        let representation: Representation.Name
        var contributors: [LocationID]
        let since: Date
        var isBeingWritten = false
    }

    private struct State {
        var holds: [Int: IntegrityHold] = [:]
        var count = 0
    }

    /// The downloads that have let unverified bytes out.
    let unverified: UnverifiedDeliveries
    private let catalog: any CatalogStore
    private let state = Mutex(State())

    /// None yet.
    /// - Parameter startedAt: when this process began to serve; what was delivered before is not known.
    package init(catalog: any CatalogStore, startedAt: Date = .now) {
        self.catalog = catalog
        unverified = UnverifiedDeliveries(startedAt: startedAt)
    }

    /// A representation with what is held against it here.
    package func regarding(_ representation: Representation) -> Representation {
        let since = state.withLock { state in
            state.holds.values.filter { $0.representation == representation.name }.map(\.since).max()
        }
        guard let since else { return representation }
        var held = representation
        held.isOnIntegrityHold = true
        held.heldSince = max(since, representation.heldSince ?? since)
        return held
    }

    /// Whether ranges of a representation are served, or the whole alone: they are where they can be verified, and where nobody may
    /// hold wrong bytes that a range would complete.
    package func servesRanges(_ resolution: Resolution, at now: Date = .now) -> Bool {
        guard let representation = resolution.representation.map(regarding), representation.servesRanges(at: now),
            !unverified.concern(representation.name, resolution.locations, manifestMadeAt: resolution.manifest?.madeAt, at: now)
        else { return false }
        return resolution.manifest != nil || resolution.locations.contains(where: \.servesVerifiedRanges)
    }

    /// A whole download begins over these locations with no manifest to verify its chunks.
    /// - Returns: what the record of its end needs; nil where each location was read in full before.
    package func beginUnverified(_ representation: Representation, over locations: [Location]) -> UnverifiedDeliveries.Ticket? {
        unverified.begin(representation.name, from: locations)
    }

    /// Holds a hold.
    /// - Returns: its number, to have it written down.
    func hold(_ representation: Representation.Name, contributors: [LocationID]) -> Int {
        state.withLock { state in
            // While the catalog takes nothing they must not pile up.
            if let number = state.holds.first(where: { $1.representation == representation && !$1.isBeingWritten })?.key {
                let known = state.holds[number]?.contributors ?? []
                state.holds[number]?.contributors = known + contributors.filter { !known.contains($0) }
                return number
            }
            state.count += 1
            state.holds[state.count] = IntegrityHold(representation: representation, contributors: contributors, since: .now)
            return state.count
        }
    }

    /// Writes a hold down, unless somebody else does; it holds here until that is done.
    /// - Throws: `CatalogError`; it is kept then.
    func write(_ number: Int) async throws {
        let hold = state.withLock { state -> IntegrityHold? in
            guard let hold = state.holds[number], !hold.isBeingWritten else { return nil }
            state.holds[number]?.isBeingWritten = true
            return hold
        }
        guard let hold else { return }
        do {
            try await catalog.recordDigestMismatch(
                of: hold.representation.image, format: hold.representation.format, contributors: hold.contributors,
                at: hold.since, actor: "baton", reason: "a download did not match the digest")
            state.withLock { $0.holds[number] = nil }
        } catch {
            state.withLock { $0.holds[number]?.isBeingWritten = false }
            throw error
        }
    }

    /// Writes down what the catalog did not take when it arose.
    /// - Throws: `CatalogError` of the first that it does not take now either.
    func writeAll() async throws {
        for number in state.withLock({ $0.holds.keys.sorted() }) { try await write(number) }
    }
}
