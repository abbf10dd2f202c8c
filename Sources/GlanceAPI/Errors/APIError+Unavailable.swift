import BackendKit
import HTTPServing
import HTTPTypes
import ImageModel
import LocationSelection
import RelayEngine

extension APIError {
    /// There is no memory for another download, or not for this caller.
    init(_ refusal: MemoryRefusal) {
        switch refusal {
        case .noMemory:
            self.init(
                .serviceUnavailable, "The server has all its memory for downloads in use (relay.memory). Try again later.")
            headers[.retryAfter] = "5"
        case .tooManyDownloads:
            self.init(
                .tooManyRequests,
                "The caller has as many downloads running as one may have (relay.downloads_per_caller). Try again when one is over."
            )
            headers[.retryAfter] = "5"
        }
    }

    /// No location can serve: each with the class of its reason, and no URL.
    /// - Parameters:
    ///   - relays: who knows what keeps a pending location from serving.
    ///   - failures: what came of asking them.
    static func unavailable(
        _ selection: Selection, _ relays: Relays, failures: [RelaySummary.Failure] = []
    ) -> APIError {
        var reasons: [(LocationID, String)] = []
        for rejected in selection.rejected {
            let status = rejected.location.state.status.rawValue
            reasons.append((rejected.location.id, rejected.reason == .status ? status : rejected.reason.rawValue))
        }
        for failure in failures {
            reasons.removeAll { $0.0 == failure.location }
            reasons.append((failure.location, failure.failure.reason.rawValue))
        }
        func cause(_ location: LocationID, _ reason: String) -> String? {
            guard reason == LocationStatus.pending.rawValue else { return nil }
            return relays.lastFailure(of: location)?.failure.reason.rawValue
        }
        let text = reasons.map { id, reason in
            "\(id): \(reason)" + (cause(id, reason).map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
        var error = APIError(.serviceUnavailable, "No location of the image can serve now (\(text)). Try again later.")
        error.headers[.retryAfter] = "5"
        error.details["locations"] = .array(
            reasons.map { id, reason in
                var fields: [String: JSONValue] = ["id": .string(id.description), "reason": .string(reason)]
                if let cause = cause(id, reason) { fields["cause"] = .string(cause) }
                return .object(fields)
            })
        return error
    }
}
