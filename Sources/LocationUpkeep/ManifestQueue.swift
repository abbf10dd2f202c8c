import BackendKit
import ImageModel

/// Which of the reads that make manifests may begin, as a value. Each backend is read by one at a time. A backend that fails rests, so
/// that its images keep nobody waiting, and a representation is not read again at once whose read left no manifest.
struct ManifestQueue: Sendable {
    /// How long a backend rests after its first failure; each further one in a row doubles it.
    static let rest: Duration = .seconds(30)
    static let longestRest: Duration = .seconds(600)
    /// From a read that matched to the next of the same representation, should that have no manifest even so.
    static let repetition: Duration = .seconds(600)
    /// From a read that came to nothing for reasons that pass, such as one that somebody else has under way.
    static let retry: Duration = .seconds(10)

    private struct Rest {
        var failures: Int
        var end: ContinuousClock.Instant
    }

    private let readers: Int
    private var running: [Representation.Name: BackendID] = [:]
    private var rests: [BackendID: Rest] = [:]
    private var postponed: [Representation.Name: ContinuousClock.Instant] = [:]

    /// - Parameter readers: how many reads may run at a time.
    init(readers: Int) { self.readers = max(1, readers) }

    /// The backends that a read may begin in now.
    func available(_ backends: [BackendID], at now: ContinuousClock.Instant) -> [BackendID] {
        guard running.count < readers else { return [] }
        let busy = Set(running.values)
        return backends.filter { backend in !busy.contains(backend) && rests[backend].map { $0.end <= now } ?? true }
    }

    /// Whether its representation may be read now.
    func allows(_ location: Location, at now: ContinuousClock.Instant) -> Bool {
        running[location.representation] == nil && postponed[location.representation].map { $0 <= now } ?? true
    }

    mutating func begin(_ location: Location) { running[location.representation] = location.backend }

    /// A read is over.
    /// - Parameter result: nil if the catalog failed.
    mutating func end(_ location: Location, _ result: Verifier.Result?, at now: ContinuousClock.Instant) {
        running[location.representation] = nil
        postponed = postponed.filter { $1 > now }
        switch result {
        case .matched:
            rests[location.backend] = nil
            postponed[location.representation] = now + Self.repetition
        case .quarantined, .digestConflict, .undecided:
            // It was read. The catalog knows now what is to become of it, and another location may be read at once.
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
