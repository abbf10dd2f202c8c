import BackendKit
import FoundationEssentials
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import Logging
import ServiceLifecycle

/// Runs due maintenance of locations: probes pending ones, queues scheduled reads, deletes those whose deletion delay has
/// passed, and records integrity holds that the catalog did not accept before.
package struct MaintenanceLoop: Service, CustomStringConvertible {
    private let locations: any LocationStore
    private let statusChanges: LocationStatusChanges
    private let activation: LocationActivation
    private let verifications: VerificationQueue
    private let writeHolds: @Sendable () async throws -> Void
    private let interval: Duration
    private let logger: Logger

    /// - Parameter interval: the time between two passes.
    package init(
        locations: any LocationStore, statusChanges: LocationStatusChanges, activation: LocationActivation,
        verifications: VerificationQueue,
        writeHolds: @escaping @Sendable () async throws -> Void, interval: Duration, logger: Logger
    ) {
        self.locations = locations
        self.statusChanges = statusChanges
        self.activation = activation
        self.verifications = verifications
        self.writeHolds = writeHolds
        self.interval = interval
        self.logger = logger
    }

    /// The service's name in the log.
    package var description: String { "maintenance" }

    /// Runs until the service shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func round() async {
        do {
            try? await writeHolds()  // a failure was logged when the hold arose; the hold stays
            let due = try await locations.dueLocations(at: .now)
            for location in due.toRead { verifications.enqueue(location.id) }
            for location in due.toExpire {
                _ = try await statusChanges.apply(
                    .expire, to: location, actor: "baton", reason: "the deletion delay has passed")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for locations in Dictionary(grouping: due.toProbe, by: \.backend).values {
                    group.addTask { try await probe(locations) }
                }
                try await group.waitForAll()
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("maintenance.failed: A maintenance pass failed.", metadata: ["error": "\(error)"])
        }
    }

    /// Probes the pending locations of one backend until one fails because of the backend. The others would then only wait for
    /// the same failure and delay other maintenance. The order is random, so that no location keeps the others from being
    /// probed.
    private func probe(_ locations: [Location]) async throws {
        for location in locations.shuffled() where !Task.isCancelled {
            let (activated, failure) = try await activation.activate(location)
            if let failure, failure.failureClass != .location { return }
            guard activated.state.status == .active else { continue }
            logger.info("location.activated: A pending location is active now.", metadata: ["location": "\(location.id)"])
        }
    }
}
