package import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import Logging
package import RelayEngine

/// The check that a new location has to pass before it serves.
package enum ActivationRule: String, Sendable, CaseIterable {
    /// One ranged read that finds the object; the first download verifies it. A location that can't be compared with its
    /// representation is read in full nevertheless.
    case probe
    /// A full read. The location is pending until the read has matched.
    case verify
}

/// Activates new locations once they have passed the configured check.
package struct LocationActivation: Sendable {
    private let rule: ActivationRule
    private let locations: any LocationStore
    private let statusChanges: LocationStatusChanges
    private let requestRead: @Sendable (LocationID) -> Void
    private let probe: ObjectProbe
    private let failures: ProbeFailures

    /// - Parameters:
    ///   - probe: reads the size of objects.
    ///   - health: keeps each location's last failure.
    package init(
        rule: ActivationRule, locations: any LocationStore, statusChanges: LocationStatusChanges,
        requestRead: @escaping @Sendable (LocationID) -> Void, probe: ObjectProbe, health: HealthRecord, logger: Logger
    ) {
        self.rule = rule
        self.locations = locations
        self.statusChanges = statusChanges
        self.requestRead = requestRead
        self.probe = probe
        failures = ProbeFailures(locations: locations, health: health, logger: logger)
    }

    /// Probes a pending location and activates it if it passes, or queues a full read where one is required.
    /// - Returns: the location in its new state, and the failure that leaves it pending, if any.
    /// - Throws: `CatalogError`.
    package func activate(_ location: Location) async throws -> (location: Location, failure: AttemptFailure?) {
        guard rule == .probe, location.isIdentified, let size = location.size else {
            requestRead(location.id)
            return (location, nil)
        }
        switch await probe.head(of: location.path, in: location.backend, isEmpty: size == 0).flatMap({
            validator(in: $0, of: location, size: size)
        }) {
        case .failure(let failure):
            await failures.note(failure, of: location)
            if failure.reason == .sizeUnstated { requestRead(location.id) }
            return (location, failure)
        case .success(let validator):
            do {
                let activated = try await statusChanges.apply(
                    .probed, to: location, actor: "baton", reason: "a probe found the object", validator: validator)
                return (activated, nil)
            } catch CatalogError.illegalEvent {
                // A concurrent request changed the status first. The location is returned with that status.
                return (try await locations.location(location.id) ?? location, nil)
            }
        }
    }

    /// - Returns: the object's validator, if its size is right and the store states no digest other than the declared one.
    private func validator(in head: ObjectHead, of location: Location, size: Int64) -> Result<Validator?, AttemptFailure> {
        guard let total = head.total else {
            return .failure(
                AttemptFailure(
                    .sizeUnstated, .location,
                    detail: "the server does not state the object's size: a full read will determine it"))
        }
        guard total == size else { return .failure(.otherSize(total, expected: size)) }
        if let stated = head.stated, let declared = location.digests[stated.algorithm], declared != stated {
            return .failure(
                AttemptFailure(
                    .wrongDigest, .location, detail: "the store states the digest \(stated), but \(declared) is declared"))
        }
        return .success(head.validator)
    }
}

/// Reports what keeps a pending location from serving: in the log and in its history if the reason is new, and in responses at
/// any time.
struct ProbeFailures: Sendable {
    let locations: any LocationStore
    let health: HealthRecord
    let logger: Logger

    func note(_ failure: AttemptFailure, of location: Location) async {
        let isNew = health.lastFailure(of: location.id)?.failure.reason != failure.reason
        health.noteFailure(of: location.id, failure)
        logger.log(
            level: isNew ? .warning : .debug, "location.probe_failed: A probe failed. The location stays pending.",
            metadata: [
                "image": "\(location.image)", "location": "\(location.id)", "backend": "\(location.backend)",
                "reason": "\(failure.reason.rawValue)", "detail": "\(failure.detail)",
            ])
        guard isNew else { return }
        do {
            try await locations.recordProbeFailure(
                of: location.id, at: .now, actor: "baton", reason: "a probe failed: \(failure.description)")
        } catch {
            logger.warning(
                "catalog.record_failed: The result of a probe could not be recorded in the catalog.",
                metadata: ["location": "\(location.id)", "error": "\(error)"])
        }
    }
}
