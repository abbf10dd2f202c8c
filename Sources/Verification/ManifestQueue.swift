import BackendKit
import ImageModel

/// Schedules the reads that build manifests, as a value. At most one read runs per backend. A backend that fails is paused, so
/// that its images do not delay others. A representation is not read again at once if its read left no manifest.
struct ManifestQueue: Sendable {
    /// The pause of a backend after its first failure; each consecutive failure doubles it.
    static let rest: Duration = .seconds(30)
    static let longestRest: Duration = .seconds(600)
    /// The time from a read that matched to the next of the same representation, if it still has no manifest.
    static let repetition: Duration = .seconds(600)
    /// The time until a retry after a transient failure, such as a concurrent read of the location.
    static let retry: Duration = .seconds(10)

    private struct Rest {
        var failures: Int
        var end: ContinuousClock.Instant
    }

    private let readers: Int
    private var running: [Representation.Name: BackendID] = [:]
    private var rests: [BackendID: Rest] = [:]
    private var postponed: [Representation.Name: ContinuousClock.Instant] = [:]

    /// - Parameter readers: the number of concurrent reads.
    init(readers: Int) { self.readers = max(1, readers) }

    /// The backends in which a read may begin now.
    func available(_ backends: [BackendID], at now: ContinuousClock.Instant) -> [BackendID] {
        guard running.count < readers else { return [] }
        let busy = Set(running.values)
        return backends.filter { backend in !busy.contains(backend) && rests[backend].map { $0.end <= now } ?? true }
    }

    /// Whether the location's representation may be read now.
    func allows(_ location: Location, at now: ContinuousClock.Instant) -> Bool {
        running[location.representation] == nil && postponed[location.representation].map { $0 <= now } ?? true
    }

    mutating func begin(_ location: Location) { running[location.representation] = location.backend }

    /// Records the end of a location's read, and when its representation and its backend may be read again.
    /// - Parameter result: nil if the catalog failed.
    mutating func end(_ location: Location, _ result: Verifier.Result?, at now: ContinuousClock.Instant) {
        running[location.representation] = nil
        postponed = postponed.filter { $1 > now }
        switch result {
        case .matched:
            rests[location.backend] = nil
            postponed[location.representation] = now + Self.repetition
        case .quarantined, .digestConflict, .undecided:
            // The read was completed and the catalog has recorded its result, so another location may be read at once.
            rests[location.backend] = nil
        case .unreadable(let failure) where failure.failureClass == .location:
            break  // the catalog has a date for its next read
        case .unreadable(let failure):
            let failures = min((rests[location.backend]?.failures ?? 0) + 1, 16)
            let rest = max(failure.retryAfter ?? .zero, min(Self.longestRest, Self.rest * (1 << (failures - 1))))
            rests[location.backend] = Rest(failures: failures, end: now + rest)
        case .cancelled, .skipped, nil:
            postponed[location.representation] = now + Self.retry
        }
    }
}
