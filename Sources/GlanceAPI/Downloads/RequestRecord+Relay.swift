import HTTPServing
import Logging
import RelayEngine

extension RequestRecord {
    /// What its download came to.
    func note(_ summary: RelaySummary) {
        var relay: Logger.Metadata = [
            "outcome": "\(summary.outcome.rawValue)", "failovers": .stringConvertible(summary.moves.count),
            "backends": .array(summary.parts.map { "\($0.backend)" }),
        ]
        if let digest = summary.digest { relay["digest"] = "\(digest)" }
        note(relay: relay, delivered: summary.delivered)
    }
}
