import BackendKit
package import ImageModel
package import Logging
package import RelayEngine

/// Logs incidents of a download as they happen, so that an operator need not wait for the end of the download to find the cause
/// of a gap.
package struct IncidentLog: Sendable {
    private let image: ImageID
    private let logger: Logger

    /// - Parameter logger: the request's logger, whose lines have its id.
    package init(image: ImageID, logger: Logger) {
        self.image = image
        self.logger = logger
    }

    /// Writes one line; never blocks.
    package func note(_ incident: RelayIncident) {
        switch incident {
        case .failed(let origin, let failure, let offset):
            warn(
                "location.failed: A location failed during a download.", [origin], offset,
                ["reason": "\(failure.reason.rawValue)", "detail": "\(failure.detail)"])
        case .failover(let from, let to, let offset, let gap, let cause):
            warn(
                "relay.failover: A download continues from another location.", [to], offset,
                [
                    "from": "\(from.location)", "from_backend": "\(from.backend)", "reason": "\(cause.reason.rawValue)",
                    "gap_seconds": .stringConvertible((gap / .microseconds(1)).rounded() / 1_000_000),
                ])
        case .chunkMismatch(let offset, let origins):
            warn(
                "chunk.digest_mismatch: A chunk did not match its digest and is fetched again.", origins, offset,
                ["reason": "digest-mismatch"])
        case .wholeMismatch(let origins):
            warn(
                "download.digest_mismatch: The bytes of a download did not match the image's digest.", origins, 0,
                ["reason": "digest-mismatch"])
        }
    }

    private func warn(
        _ message: Logger.Message, _ origins: [RelayIncident.Origin], _ offset: Int64, _ details: Logger.Metadata
    ) {
        var metadata = details
        metadata["image"] = "\(image)"
        metadata["offset"] = .stringConvertible(offset)
        if let only = origins.first, origins.count == 1 {
            metadata["location"] = "\(only.location)"
            metadata["backend"] = "\(only.backend)"
        } else {
            metadata["locations"] = .array(origins.map { "\($0.location)" })
            metadata["backends"] = .array(origins.map { "\($0.backend)" })
        }
        logger.warning(message, metadata: metadata)
    }
}
