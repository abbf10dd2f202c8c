import BackendKit
import ImageModel
package import RelayEngine
package import Telemetry

/// Metrics of downloads.
package struct DownloadMetrics: Sendable {
    private let outcomes: Counter
    private let extraBytes: Counter
    private let failures: Counter
    private let failovers: Counter
    private let gaps: Histogram
    private let resumptions: Counter
    private let verifications: Counter
    private let rejectedChunks: Counter

    /// Bucket bounds in seconds: from an imperceptible failover to the longest wait of a download.
    private static let gapBounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60]

    package init(in registry: MetricsRegistry) {
        outcomes = registry.counter("baton_relays_total", "Downloads that ended, by outcome.", labels: ["outcome"])
        extraBytes = registry.counter("baton_relay_extra_bytes_total", "Bytes fetched beyond those delivered.")
        failures = registry.counter(
            "baton_attempt_failures_total", "Failed attempts, by backend and reason.",
            labels: ["backend", "reason"])
        failovers = registry.counter(
            "baton_failovers_total", "Failovers, by the backend that was left and the reason.",
            labels: ["backend", "reason", "mid_stream"])
        gaps = registry.histogram(
            "baton_failover_gap_seconds", "Time from the last byte of one location to the first byte of the next.",
            labels: ["reason"], bounds: Self.gapBounds)
        resumptions = registry.counter(
            "baton_resumptions_total", "Connections reopened after a server closed them while the client was slow.")
        verifications = registry.counter(
            "baton_relay_verifications_total", "Whole downloads compared with their digest, by result.",
            labels: ["result"])
        rejectedChunks = registry.counter(
            "baton_rejected_chunks_total", "Chunks that did not match their digest and were fetched again; none was delivered."
        )
    }

    package func record(_ summary: RelaySummary) {
        outcomes.add(1, summary.outcome.rawValue)
        extraBytes.add(Double(summary.extraBytes))
        for failure in summary.failures {
            failures.add(Double(failure.count), failure.backend.name, failure.failure.reason.rawValue)
        }
        for failover in summary.failovers {
            failovers.add(1, failover.from.name, failover.cause.reason.rawValue, "\(failover.isMidStream)")
            gaps.record(failover.gap / .seconds(1), failover.cause.reason.rawValue)
        }
        resumptions.add(Double(summary.resumptions))
        rejectedChunks.add(Double(summary.rejectedChunks.reduce(0) { $0 + $1.count }))
        if !summary.mismatches.isEmpty { verifications.add(Double(summary.mismatches.count), "mismatched") }
        if summary.digest != nil, summary.outcome == .finished { verifications.add(1, "matched") }
    }
}
