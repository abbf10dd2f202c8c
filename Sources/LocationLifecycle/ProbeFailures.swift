import BackendKit
import FoundationEssentials
import ImageCatalog
import ImageModel
import Logging
import RelayEngine

/// Reports what keeps a pending location from serving: in the log and in its history if the reason is new, and in responses at
/// any time.
struct ProbeFailures: Sendable {
    let catalog: any CatalogStore
    let relays: Relays
    let logger: Logger

    func note(_ failure: AttemptFailure, of location: Location) async {
        let isNew = relays.lastFailure(of: location.id)?.failure.reason != failure.reason
        relays.noteFailure(of: location.id, failure)
        logger.log(
            level: isNew ? .warning : .debug, "location.probe_failed: A probe failed. The location stays pending.",
            metadata: [
                "image": "\(location.image)", "location": "\(location.id)", "backend": "\(location.backend)",
                "reason": "\(failure.reason.rawValue)", "detail": "\(failure.detail)",
            ])
        guard isNew else { return }
        do {
            try await catalog.recordProbeFailure(
                of: location.id, at: .now, actor: "baton", reason: "a probe failed: \(failure.description)")
        } catch {
            logger.warning(
                "catalog.record_failed: The result of a probe could not be recorded in the catalog.",
                metadata: ["location": "\(location.id)", "error": "\(error)"])
        }
    }
}
