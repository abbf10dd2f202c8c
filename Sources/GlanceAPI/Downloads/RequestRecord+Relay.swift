import HTTPServing
import Logging
import RelayEngine

extension RequestRecord {
    /// Records the result of the request's download.
    func note(_ summary: RelaySummary) {
        var relay: Logger.Metadata = [
            "outcome": "\(summary.outcome.rawValue)", "failovers": .stringConvertible(summary.failovers.count),
            "backends": .array(summary.parts.map { "\($0.backend)" }),
        ]
        if let digest = summary.digest { relay["digest"] = "\(digest)" }
        note(relay: relay, delivered: summary.delivered)
    }
}
