package import FoundationEssentials
package import ImageModel
import Synchronization

/// Whole downloads whose first bytes are sent before any verification, such as those of a new image. A client whose download is
/// cut off has a part that may be wrong. No range may complete that part until the locations that served it were read in full.
package final class UnverifiedDeliveries: Sendable {
    /// Identifies one download until its end. A ticket that is dropped counts as cut off.
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

    /// Creates an empty set.
    /// - Parameter startedAt: the start of this process; earlier deliveries are unknown.
    package init(startedAt: Date = .now) { self.startedAt = startedAt }

    /// Records the start of a whole download that is verified only at its end.
    /// - Parameter locations: the locations that it may read.
    /// - Returns: the ticket for its end; nil if each location was read in full before.
    package func begin(_ representation: Representation.Name, from locations: [Location]) -> Ticket? {
        let unverified = Set(locations.filter { $0.verifiedAt == nil }.map(\.id))
        guard !unverified.isEmpty else { return nil }
        let number = state.withLock { state in
            state.count += 1
            state.running[state.count] = Running(representation: representation, locations: unverified)
            return state.count
        }
        return Ticket(number: number, in: self)
    }

    /// Records the end of the download.
    /// - Parameter contributors: the locations that served the unverified bytes; empty if the digest matched, or if no byte was
    ///   sent.
    /// - Returns: those of them that were never read in full.
    func end(_ ticket: Ticket, contributors: [LocationID], at now: Date) -> [LocationID] {
        state.withLock { state in
            guard let ended = state.running.removeValue(forKey: ticket.number) else { return [] }
            let unverified = contributors.filter(ended.locations.contains)
            state.note(unverified, of: ended.representation, at: now)
            return unverified
        }
    }

    /// Records a download that ended without a report: any of its locations may have served the bytes.
    private func lost(_ number: Int, at now: Date) {
        state.withLock { state in
            guard let lost = state.running.removeValue(forKey: number) else { return }
            state.note(Array(lost.locations), of: lost.representation, at: now)
        }
    }

    /// Whether a client may have unverified bytes of the representation.
    /// - Parameters:
    ///   - locations: the representation's current locations in the catalog.
    ///   - manifestMadeAt: the time from which a manifest verifies its downloads; nil if there is none.
    package func hasUnverifiedDelivery(
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

    /// Whether the previous server process may have cut off an unverified download within the last hour: from a location that
    /// was never read in full, before there was a manifest.
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
