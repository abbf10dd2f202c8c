import FoundationEssentials
import ImageModel
import Synchronization

/// Whole downloads whose first bytes leave before anything has verified them, as those of a new image do. One that breaks off leaves
/// its client with a part that may be wrong. Until the locations that gave it were read in full, a range must not complete it.
package final class UnverifiedDeliveries: Sendable {
    /// One download, for its end. One that is dropped before counts as broken off.
    package final class Ticket: Sendable {
        fileprivate let number: Int
        private let deliveries: UnverifiedDeliveries

        fileprivate init(number: Int, in deliveries: UnverifiedDeliveries) {
            self.number = number
            self.deliveries = deliveries
        }

        deinit { deliveries.lost(number, at: .now) }
    }

    private struct Running {
        let representation: Representation.Name
        let locations: Set<LocationID>
    }

    fileprivate struct BrokenOff {
        var locations: Set<LocationID>
        var lastEnd: Date
    }

    private struct State {
        var running: [Int: Running] = [:]
        var brokenOff: [Representation.Name: BrokenOff] = [:]
        var count = 0

        mutating func note(_ unverified: [LocationID], of representation: Representation.Name, at now: Date) {
            brokenOff = brokenOff.filter { !$1.isOver(at: now) }
            guard !unverified.isEmpty else { return }
            let known = brokenOff[representation]?.locations ?? []
            brokenOff[representation] = BrokenOff(locations: known.union(unverified), lastEnd: now)
        }
    }

    private let state = Mutex(State())

    private let startedAt: Date

    /// None yet.
    /// - Parameter startedAt: when this process began to serve.
    init(startedAt: Date) { self.startedAt = startedAt }

    /// A whole download begins that nothing verifies before its end.
    /// - Parameter locations: those that it may read.
    /// - Returns: nil if each of them was read in full before.
    func begin(_ representation: Representation.Name, from locations: [Location]) -> Ticket? {
        let unverified = Set(locations.filter { $0.verifiedAt == nil }.map(\.id))
        guard !unverified.isEmpty else { return nil }
        let number = state.withLock { state in
            state.count += 1
            state.running[state.count] = Running(representation: representation, locations: unverified)
            return state.count
        }
        return Ticket(number: number, in: self)
    }

    /// The download is over.
    /// - Parameter contributors: who gave what has left unverified; empty when its digest matched, or nothing has left.
    /// - Returns: those of them that were never read in full.
    func end(_ ticket: Ticket, contributors: [LocationID], at now: Date) -> [LocationID] {
        state.withLock { state in
            guard let ended = state.running.removeValue(forKey: ticket.number) else { return [] }
            let unverified = contributors.filter(ended.locations.contains)
            state.note(unverified, of: ended.representation, at: now)
            return unverified
        }
    }

    /// The download's end was not told: any of its locations may have given what has left.
    private func lost(_ number: Int, at now: Date) {
        state.withLock { state in
            guard let lost = state.running.removeValue(forKey: number) else { return }
            state.note(Array(lost.locations), of: lost.representation, at: now)
        }
    }

    /// Whether somebody may hold bytes of the representation that nothing has verified.
    /// - Parameters:
    ///   - locations: the representation's, as the catalog has them now.
    ///   - manifestMadeAt: since when its downloads are verified by a manifest; nil if there is none.
    func concern(
        _ representation: Representation.Name, _ locations: [Location], manifestMadeAt: Date?, at now: Date
    ) -> Bool {
        if mayHaveBegunBefore(locations, manifestMadeAt, at: now) { return true }
        let verified = Set(locations.filter { $0.verifiedAt != nil }.map(\.id))
        return state.withLock { state in
            if let broken = state.brokenOff[representation] {
                if !broken.isOver(at: now), !broken.locations.isSubset(of: verified) { return true }
                state.brokenOff[representation] = nil
            }
            return state.running.values.contains {
                $0.representation == representation && !$0.locations.isSubset(of: verified)
            }
        }
    }

    /// Whether the server that ran before this one may have broken off an unverified download within the last hour: from a location
    /// that was never read in full, before there was a manifest.
    private func mayHaveBegunBefore(_ locations: [Location], _ manifestMadeAt: Date?, at now: Date) -> Bool {
        let isEarly = now.timeIntervalSince(startedAt) < Representation.rangePause
        let hadManifest = manifestMadeAt.map { startedAt.timeIntervalSince($0) >= Representation.rangePause } ?? false
        return isEarly && !hadManifest
            && locations.contains { $0.createdAt < startedAt && $0.verifiedAt == nil && $0.state.status != .pending }
    }
}

extension UnverifiedDeliveries.BrokenOff {
    fileprivate func isOver(at now: Date) -> Bool { now.timeIntervalSince(lastEnd) >= Representation.rangePause }
}
