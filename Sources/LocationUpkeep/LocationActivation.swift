public import BackendKit
public import CurlTransfer
public import ImageCatalog
public import ImageModel

/// What a new location has to pass before it serves.
public enum ActivationRule: String, Sendable, CaseIterable {
    /// One ranged read that finds it there; the first download proves it. What can't be compared with its representation is read
    /// in full all the same.
    case probe
    /// A full read.
    case verify
}

/// Lets new locations serve once they have passed what the operator asks of them.
public struct LocationActivation: Sendable {
    private let rule: ActivationRule
    private let catalog: any CatalogStore
    private let lifecycle: LocationLifecycle
    private let proofs: ProofQueue
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long a probe may take.
    public init(
        rule: ActivationRule, catalog: any CatalogStore, lifecycle: LocationLifecycle, proofs: ProofQueue,
        registry: BackendRegistry,
        loop: TransferLoop, timeout: Duration
    ) {
        self.rule = rule
        self.catalog = catalog
        self.lifecycle = lifecycle
        self.proofs = proofs
        self.registry = registry
        self.loop = loop
        self.timeout = timeout
    }

    /// Probes a pending location and activates it if all is well, or has it read in full where that is needed.
    /// - Returns: the location as it is then, and what is wrong with it if it is still pending for that.
    /// - Throws: `CatalogError`.
    public func activate(_ location: Location) async throws -> (location: Location, problem: AttemptFailure?) {
        guard let backend = registry[location.backend] else {
            return (location, AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        guard rule == .probe, location.isIdentified, let size = location.size else {
            proofs.enqueue(location.id)
            return (location, nil)
        }
        switch await LocationProbe.run(driver: backend.driver, path: location.path, size: size, timeout: timeout, loop: loop) {
        case .failure(let failure):
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
}
