import BackendKit
import FoundationEssentials
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import Logging
package import RelayEngine
import ServiceLifecycle

/// Probes backends with open breakers by a ranged read of the location that failed last, so that no client's download is used
/// as a probe.
package struct HalfOpenProbes: Service, CustomStringConvertible {
    private let locations: any LocationStore
    private let health: HealthRecord
    private let probe: ObjectProbe
    private let logger: Logger

    /// The interval between checks for due probes.
    private static let interval: Duration = .seconds(1)

    /// - Parameters:
    ///   - health: knows the due probes and keeps their results.
    ///   - probe: carries out the reads.
    package init(locations: any LocationStore, health: HealthRecord, probe: ObjectProbe, logger: Logger) {
        self.locations = locations
        self.health = health
        self.probe = probe
        self.logger = logger
    }

    /// The service's name in the log.
    package var description: String { "backend probes" }

    /// Runs until the service shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withTaskGroup { group in
                    for probe in health.beginProbes() { group.addTask { await carryOut(probe.backend, probe.location) } }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func carryOut(_ backend: BackendID, _ id: LocationID) async {
        let location: Location?
        do {
            location = try await locations.location(id)
        } catch {
            // An error of the catalog says nothing about the backend. The probe is repeated after its timeout.
            logger.warning(
                "backend.probe_error: A backend could not be probed.", metadata: ["backend": "\(backend)", "error": "\(error)"])
            return
        }
        let failure: AttemptFailure?
        switch await decision(on: backend, at: location) {
        case .unasked: return
        case .works: failure = nil
        case .failed(let reason): failure = reason
        }
        health.endProbe(of: backend, worked: failure == nil)
        if let failure {
            logger.warning(
                "backend.probe_failed: A backend failed its probe and stays ranked behind the others.",
                metadata: ["backend": "\(backend)", "failure": "\(failure)"])
        } else {
            logger.notice("backend.recovered: A backend works again.", metadata: ["backend": "\(backend)"])
        }
    }

    private enum Decision {
        case works
        case failed(AttemptFailure)
        /// The backend was not asked: the probe is repeated after its timeout.
        case unasked
    }

    /// The conclusion about the backend. It works if it responded, even if the object is missing or access is denied.
    private func decision(on backend: BackendID, at location: Location?) async -> Decision {
        // The location was deleted meanwhile: the next downloads will show the backend's state.
        guard let location else { return .works }
        switch await probe.head(of: location.path, in: backend, isEmpty: location.size == 0) {
        case .success: return .works
        case .failure(let failure):
            switch failure.failureClass {
            case .location, .credentials: return .works
            case .backend: return .failed(failure)
            // A backend that throttles is alive. `busy` means that this process held all connections, so no probe was sent.
            case .throttled: return failure.reason == .busy ? .unasked : .works
            case .local: return .unasked
            }
        }
    }
}
