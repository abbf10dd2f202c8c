public import ImageCatalog
internal import ImageModel
public import Logging
public import ServiceLifecycle

/// Probes pending locations again from time to time, so that one whose backend was down when it was registered comes to serve.
public struct PendingLocations: Service, CustomStringConvertible {
    private let catalog: any CatalogStore
    private let activation: LocationActivation
    private let interval: Duration
    private let logger: Logger

    /// - Parameter interval: between two rounds.
    public init(catalog: any CatalogStore, activation: LocationActivation, interval: Duration, logger: Logger) {
        self.catalog = catalog
        self.activation = activation
        self.interval = interval
        self.logger = logger
    }

    /// As the log of the services' life names it.
    public var description: String { "prober of pending locations" }

    /// Works until the service shuts down.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await probeAll()
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func probeAll() async {
        do {
            for location in try await catalog.pendingLocations() {
                let (activated, _) = try await activation.activate(location)
                guard activated.state.status == .active else { continue }
                logger.info("A pending location is active now.", metadata: ["location": "\(location.id)"])
            }
        } catch {
            logger.warning("Pending locations could not be probed.", metadata: ["error": "\(error)"])
        }
    }
}
