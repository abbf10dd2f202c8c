import BackendKit
import HTTPServing
import HTTPTypes
import ImageModel
import LocationSelection
import RelayEngine

extension APIError {
    /// The error for a download without memory, or with too many others of the same caller.
    init(_ refusal: MemoryRefusal) {
        switch refusal {
        case .noMemory:
            self.init(
                .serviceUnavailable, "All memory for downloads (relay.memory) is in use. Try again later.")
            headers[.retryAfter] = "5"
        case .tooManyDownloads:
            self.init(
                .tooManyRequests,
                "The caller has too many downloads running (relay.downloads_per_caller). Try again when one has ended."
            )
            headers[.retryAfter] = "5"
        }
    }

    /// The error if no location can serve. It names each location's id and the class of its reason, but no URL.
    /// - Parameters:
    ///   - health: knows the last failure of pending locations.
    ///   - failures: the failures of the relay's attempts.
    static func unavailable(
        _ selection: Selection, _ health: HealthRecord, failures: [RelaySummary.Failure] = []
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
            return health.lastFailure(of: location)?.failure.reason.rawValue
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
