internal import FoundationEssentials
internal import ImageModel
internal import Synchronization

/// Whole downloads whose first bytes leave before anything has verified them, as those of a new image do. One that breaks off leaves
/// its client with a part that may be wrong. Until the locations that gave it were read in full, a range must not complete it.
public final class UnverifiedDeliveries: Sendable {
    /// One download, for its end.
    public struct Ticket: Sendable, Hashable {
        fileprivate let number: Int
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
    }

    private let state = Mutex(State())

    /// None yet.
    init() {}

    /// A whole download begins that nothing verifies before its end.
    /// - Parameter locations: those that it may read.
    /// - Returns: nil if each of them was read in full before.
    func begin(_ representation: Representation.Name, from locations: [Location]) -> Ticket? {
        let unverified = Set(locations.filter { $0.provenAt == nil }.map(\.id))
        guard !unverified.isEmpty else { return nil }
        return state.withLock { state in
            state.count += 1
            state.running[state.count] = Running(representation: representation, locations: unverified)
            return Ticket(number: state.count)
        }
    }

    /// The download is over.
    /// - Parameter contributors: who gave what has left unverified; empty when its digest matched, or nothing has left.
    /// - Returns: those of them that were never read in full.
    func end(_ ticket: Ticket, contributors: [LocationID], at now: Date) -> [LocationID] {
        state.withLock { state in
            guard let ended = state.running.removeValue(forKey: ticket.number) else { return [] }
            state.brokenOff = state.brokenOff.filter { !$1.isOver(at: now) }
            let unverified = contributors.filter(ended.locations.contains)
            guard !unverified.isEmpty else { return [] }
            let known = state.brokenOff[ended.representation]?.locations ?? []
            state.brokenOff[ended.representation] = BrokenOff(locations: known.union(unverified), lastEnd: now)
            return unverified
        }
    }

    /// Whether somebody may hold bytes of the representation that nothing has verified.
    /// - Parameter locations: the representation's, as the catalog has them now.
    func concern(_ representation: Representation.Name, _ locations: [Location], at now: Date) -> Bool {
        let verified = Set(locations.filter { $0.provenAt != nil }.map(\.id))
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
}

extension UnverifiedDeliveries.BrokenOff {
    fileprivate func isOver(at now: Date) -> Bool { now.timeIntervalSince(lastEnd) >= Representation.rangePause }
}
