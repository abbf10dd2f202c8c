import FoundationEssentials
package import ImageCatalog
package import ImageModel
import Synchronization

/// Integrity holds that the catalog has not recorded yet. Each is in effect in this process from the start, so that a full or
/// locked catalog lets no client complete a corrupt file by resuming it.
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

    private let verifications: any VerificationStore
    private let state = Mutex(State())

    /// Creates an empty set.
    package init(verifications: any VerificationStore) { self.verifications = verifications }

    /// The representation with the holds of this process applied.
    package func applyingHolds(to representation: Representation) -> Representation {
        let since = state.withLock { state in
            state.holds.values.filter { $0.representation == representation.name }.map(\.since).max()
        }
        guard let since else { return representation }
        var held = representation
        held.isOnIntegrityHold = true
        held.lastMismatchAt = max(since, representation.lastMismatchAt ?? since)
        return held
    }

    /// Adds a hold.
    /// - Returns: its number, for `write`.
    func hold(_ representation: Representation.Name, contributors: [LocationID]) -> Int {
        state.withLock { state in
            // Merged, so that holds do not accumulate while the catalog accepts none.
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

    /// Records a hold in the catalog, unless that is under way; the hold is in effect here until then.
    /// - Throws: `CatalogError`; the hold is kept then.
    func write(_ number: Int) async throws {
        let hold = state.withLock { state -> IntegrityHold? in
            guard let hold = state.holds[number], !hold.isBeingWritten else { return nil }
            state.holds[number]?.isBeingWritten = true
            return hold
        }
        guard let hold else { return }
        do {
            try await verifications.recordDigestMismatch(
                of: hold.representation.image, format: hold.representation.format, contributors: hold.contributors,
                at: hold.since, actor: "baton", reason: "a download did not match the digest")
            state.withLock { $0.holds[number] = nil }
        } catch {
            state.withLock { $0.holds[number]?.isBeingWritten = false }
            throw error
        }
    }

    /// Records all pending holds.
    /// - Throws: `CatalogError` of the first one that fails.
    package func writeAll() async throws {
        for number in state.withLock({ $0.holds.keys.sorted() }) { try await write(number) }
    }
}
