internal import BackendKit
internal import FoundationEssentials
internal import ImageCatalog
internal import ImageModel
internal import Logging
internal import RelayEngine

/// Makes known what keeps a pending location from serving: in the log and in its history when the reason is news, and in answers
/// at any time.
struct ProbeFailures: Sendable {
    let catalog: any CatalogStore
    let relays: Relays
    let logger: Logger

    func note(_ failure: AttemptFailure, of location: Location) async {
        let isNews = relays.lastFailure(of: location.id)?.failure.reason != failure.reason
        relays.noteFailure(of: location.id, failure)
        logger.log(
            level: isNews ? .warning : .debug, "A probe failed: the location stays pending.",
            metadata: [
                "image": "\(location.image)", "location": "\(location.id)", "backend": "\(location.backend)",
                "reason": "\(failure.reason.rawValue)", "detail": "\(failure.detail)",
            ])
        guard isNews else { return }
        do {
            try await catalog.recordProbeFailure(
                of: location.id, at: .now, actor: "baton", reason: "a probe failed: \(failure.description)")
        } catch {
            logger.warning(
                "The catalog did not take the result of a probe.",
                metadata: ["location": "\(location.id)", "error": "\(error)"])
        }
    }
}
