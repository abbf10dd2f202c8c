public import BackendKit
public import CurlTransfer
internal import FoundationEssentials
public import ImageCatalog
public import ImageModel

/// Lets new locations serve once a probe found them in order (`activation: probe`).
public struct LocationActivation: Sendable {
    private let catalog: any CatalogStore
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let timeout: Duration

    /// - Parameter timeout: how long a probe may take.
    public init(catalog: any CatalogStore, registry: BackendRegistry, loop: TransferLoop, timeout: Duration) {
        self.catalog = catalog
        self.registry = registry
        self.loop = loop
        self.timeout = timeout
    }

    /// Probes a pending location, and activates it if all is well.
    /// - Returns: the location as it is then, and what is wrong with it if it is still pending.
    /// - Throws: `CatalogError`.
    public func activate(_ location: Location) async throws -> (location: Location, problem: AttemptFailure?) {
        guard let backend = registry[location.backend] else {
            return (location, AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let result = await LocationProbe.run(
            driver: backend.driver, path: location.path, size: location.size, timeout: timeout, loop: loop)
        switch result {
        case .failure(let failure):
            return (location, failure)
        case .success(let validator):
            let activated = try await catalog.apply(
                .probed, to: location.id, actor: "baton", reason: "a probe found it in order", at: .now, validator: validator)
            return (activated, nil)
        }
    }
}
