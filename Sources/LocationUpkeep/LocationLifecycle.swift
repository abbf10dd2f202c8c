import BackendKit
package import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import RelayEngine

/// The one way that a location's status changes: first the catalog, then the relays that run.
package struct LocationLifecycle: Sendable {
    private let catalog: any CatalogStore
    private let relays: Relays
    private let schedule: ReadSchedule
    private let deleteDelay: Duration
    let reads = RunningReads()
    /// Locations began to serve.
    let activations = WakeSignal()

    /// - Parameter deleteDelay: from an operator's word to the end of a location.
    package init(catalog: any CatalogStore, relays: Relays, schedule: ReadSchedule, deleteDelay: Duration) {
        self.catalog = catalog
        self.relays = relays
        self.schedule = schedule
        self.deleteDelay = deleteDelay
    }

    /// Takes a location through an event.
    /// - Parameter isForced: whether even the last active location of an image may be deleted.
    /// - Throws: `CatalogError`.
    package func apply(
        _ event: LocationEvent, to location: Location, actor: String, reason: String, validator: Validator? = nil,
        isForced: Bool = false, nextReadAt: Date? = nil, at time: Date = .now
    ) async throws -> Location {
        // Before the catalog says so, that no download finds it active and this process thinks otherwise.
        if Self.letsServe(event) { relays.readmit(location.id) }
        let changed = try await catalog.apply(
            LocationChange(
                event, of: location.id, actor: actor, reason: reason, at: time, validator: validator, isForced: isForced,
                expiresAt: event == .delete ? expiry(from: time) : nil,
                nextReadAt: nextReadAt ?? recheck(event, location, time)))
        if changed.state.status.serves { activations.wake() }
        if event == .disable || event == .delete { reads.cancel(location.id) }
        if !changed.state.status.serves {
            relays.withdraw(location.id, atOnce: changed.state.status == .quarantined)
            // Somebody may have let it back in between the transaction and this word.
            if try await catalog.location(location.id)?.state.status.serves == true { relays.readmit(location.id) }
        }
        return changed
    }

    /// Too much of a backend's content was verified wrong: its locations stand behind all others until a probe read works.
    func tripBreaker(_ backend: BackendID, because location: LocationID) { relays.tripBreaker(backend, because: location) }

    /// A full read of it came to nothing.
    func noteFailure(of location: LocationID, _ failure: AttemptFailure) { relays.noteFailure(of: location, failure) }

    /// When a location is forgotten that is deleted at `time`.
    package func expiry(from time: Date) -> Date { time + deleteDelay.timeInterval }

    /// Locations were deleted in a larger transaction of the catalog: running relays leave them, and nobody reads them on.
    package func wereDeleted(_ locations: [LocationID]) {
        for location in locations {
            reads.cancel(location)
            relays.withdraw(location, atOnce: false)
        }
    }

    /// A full read of it alone gave its content: it is cleared, and serves again if it was taken out for the read.
    /// - Throws: `CatalogError`, `differentContent` among them.
    func recordMatch(of location: Location, _ content: LocationContent, at time: Date = .now) async throws -> Location {
        relays.readmit(location.id)
        let changed = try await catalog.recordMatch(of: location.id, content, at: time)
        if changed.state.status.serves { activations.wake() } else { relays.withdraw(location.id, atOnce: false) }
        return changed
    }

    private static func letsServe(_ event: LocationEvent) -> Bool {
        switch event {
        case .probed, .matched, .unreachable, .enable, .restore: true
        default: false
        }
    }

    private func recheck(_ event: LocationEvent, _ location: Location, _ time: Date) -> Date? {
        switch event {
        // It goes on serving; that a read was asked for must not be lost with the process.
        case .verify where location.state.status == .active: time
        case .quarantine, .mismatched: schedule.recheck(after: location.failedReads, from: time)
        // A read of a quarantined location that came to nothing.
        case .unreachable where location.state.before.last == .quarantined:
            schedule.recheck(after: max(0, location.failedReads - 1), from: time)
        default: nil
        }
    }
}
