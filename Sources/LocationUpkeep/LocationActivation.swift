package import BackendKit
package import ImageCatalog
package import ImageModel
package import Logging
package import RelayEngine

/// What a new location has to pass before it serves.
package enum ActivationRule: String, Sendable, CaseIterable {
    /// One ranged read that finds it there; the first download verifies it. What can't be compared with its representation is read
    /// in full all the same.
    case probe
    /// A full read.
    case verify
}

/// Lets new locations serve once they have passed what the operator asks of them.
package struct LocationActivation: Sendable {
    private let rule: ActivationRule
    private let catalog: any CatalogStore
    private let lifecycle: LocationLifecycle
    private let verifications: VerificationQueue
    private let probe: ObjectProbe
    private let failures: ProbeFailures

    /// - Parameters:
    ///   - probe: who asks objects for their size.
    ///   - relays: who remembers what went wrong last.
    package init(
        rule: ActivationRule, catalog: any CatalogStore, lifecycle: LocationLifecycle, verifications: VerificationQueue,
        probe: ObjectProbe, relays: Relays, logger: Logger
    ) {
        self.rule = rule
        self.catalog = catalog
        self.lifecycle = lifecycle
        self.verifications = verifications
        self.probe = probe
        failures = ProbeFailures(catalog: catalog, relays: relays, logger: logger)
    }

    /// Probes a pending location and activates it if all is well, or has it read in full where that is needed.
    /// - Returns: the location as it is then, and what is wrong with it if it is still pending for that.
    /// - Throws: `CatalogError`.
    package func activate(_ location: Location) async throws -> (location: Location, problem: AttemptFailure?) {
        guard rule == .probe, location.isIdentified, let size = location.size else {
            verifications.enqueue(location.id)
            return (location, nil)
        }
        switch await probe.head(of: location.path, in: location.backend, isEmpty: size == 0).flatMap({
            judge($0, location, size)
        }) {
        case .failure(let failure):
            await failures.note(failure, of: location)
            if failure.reason == .sizeUnstated { verifications.enqueue(location.id) }
            return (location, failure)
        case .success(let validator):
            do {
                let activated = try await lifecycle.apply(
                    .probed, to: location, actor: "baton", reason: "a probe found it in order", validator: validator)
                return (activated, nil)
            } catch CatalogError.illegalEvent {
                // Somebody else was faster: it is what they made of it.
                return (try await catalog.location(location.id) ?? location, nil)
            }
        }
    }

    /// - Returns: what pins the object, if it has the right size, and no other digest than the declared one where its store knows one.
    private func judge(_ head: ObjectHead, _ location: Location, _ size: Int64) -> Result<Validator?, AttemptFailure> {
        guard let total = head.total else {
            return .failure(
                AttemptFailure(
                    .sizeUnstated, .location,
                    detail: "the server does not say how large the object is; it is read in full to find that out"))
        }
        guard total == size else { return .failure(.otherSize(total, expected: size)) }
        if let stated = head.stated, let declared = location.digests[stated.algorithm], declared != stated {
            return .failure(
                AttemptFailure(
                    .wrongDigest, .location, detail: "the store says that the object has \(stated), \(declared) is declared"))
        }
        return .success(head.validator)
    }
}
