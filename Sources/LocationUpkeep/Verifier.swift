public import BackendKit
public import CurlTransfer
internal import FoundationEssentials
public import ImageCatalog
public import ImageModel
public import Logging
internal import Synchronization

/// Reads a location alone and in full, twice if need be, and settles what that means for it and for those beside it.
public final class Verifier: Sendable {
    /// What a verification found out.
    public enum Result: Sendable, Equatable {
        /// The content is the declared one, or was learned.
        case matched
        /// The content is another one, in two reads: it is quarantined.
        case quarantined
        /// Others have the same wrong content: what was declared is distrusted.
        case distrusted
        /// Its reads contradict each other, or too many of its backend were quarantined lately.
        case undecided
        /// It could not be read.
        case unreadable(AttemptFailure)
        /// Cut off half-way; what was read is kept.
        case cancelled
        /// Its status does not allow a read, or one is under way.
        case skipped
    }

    let catalog: any CatalogStore
    let lifecycle: LocationLifecycle
    let schedule: ReadSchedule
    let logger: Logger
    private let registry: BackendRegistry
    private let loop: TransferLoop
    private let stallTimeout: Duration
    private let limit = Mutex(QuarantineLimit())
    private let underWay = Mutex<Set<LocationID>>([])

    /// How often a long read's progress is written down.
    private static let checkpointInterval: Duration = .seconds(2)

    /// - Parameters:
    ///   - loop: whose thread reads and computes; best one that downloads don't use.
    ///   - stallTimeout: how long no byte may come.
    public init(
        catalog: any CatalogStore, lifecycle: LocationLifecycle, schedule: ReadSchedule, registry: BackendRegistry,
        loop: TransferLoop, stallTimeout: Duration, logger: Logger
    ) {
        self.catalog = catalog
        self.lifecycle = lifecycle
        self.schedule = schedule
        self.registry = registry
        self.loop = loop
        self.stallTimeout = stallTimeout
        self.logger = logger
    }

    /// Verifies one location.
    /// - Throws: `CatalogError`.
    public func verify(_ id: LocationID, pace: ReadPace) async throws -> Result {
        guard underWay.withLock({ $0.insert(id).inserted }) else { return .skipped }
        defer { underWay.withLock { _ = $0.remove(id) } }
        guard let location = try await takeOut(id), registry[location.backend] != nil else { return .skipped }
        let subject = try await subject(of: location)
        switch try await read(location, subject, isFresh: false, pace) {
        case .matched(let content): return try await matched(location, content)
        case .unread(let failure): return try await unreadable(location, failure)
        case .cancelled: return .cancelled
        case .other(let first):
            switch try await read(location, subject, isFresh: true, pace) {
            case .matched(let content):
                logger.warning(
                    "A location's first read was corrupt and its second was not: something corrupts in flight.",
                    metadata: metadata(of: location))
                return try await matched(location, content)
            case .unread(let failure): return try await unreadable(location, failure)
            case .cancelled: return .cancelled
            case .other(let second):
                let accused: BlameVerdict.Reading = second == first ? .other(first) : .unsettled
                let others = accused == .unsettled ? [] : try await readOthers(of: location, subject, pace)
                return try await carryOut(BlameVerdict(accused: accused, others: others), on: location, found: first)
            }
        }
    }

    /// Takes the location out of service for the read, where its status wants that; nil if it is not to be read.
    private func takeOut(_ id: LocationID) async throws -> Location? {
        guard let location = try await catalog.location(id) else { return nil }
        switch location.state.status {
        case .pending, .quarantined:
            return try await lifecycle.apply(.verify, to: location, actor: "baton", reason: "it is read in full")
        case .active where location.isAccused:
            do {
                return try await lifecycle.apply(
                    .suspect, to: location, actor: "baton", reason: "it contributed to a download that did not match")
            } catch CatalogError.lastActive {
                return location
            }
        case .active, .verifying: return location
        case .disabled, .pendingDelete, .deleted: return nil
        }
    }

    // MARK: Reading

    /// What a location's content is compared with.
    private struct Subject {
        let representation: Representation?
        let others: [Location]
    }

    private enum Finding {
        case matched(LocationContent)
        case other(BlameVerdict.OtherContent)
        case unread(AttemptFailure)
        case cancelled
    }

    private func subject(of location: Location) async throws -> Subject {
        let resolution = try await catalog.resolve(location.image, format: RequestedFormat(location.format))
        return Subject(
            representation: resolution?.representation,
            others: resolution?.locations.filter { $0.id != location.id && $0.state.status.serves } ?? [])
    }

    private func read(
        _ location: Location, _ subject: Subject, isFresh: Bool, keepsProgress: Bool = true, _ pace: ReadPace
    ) async throws -> Finding {
        guard let backend = registry[location.backend] else {
            return .unread(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let identity = subject.representation?.identity
        var algorithms = Set(location.digests.all.map(\.algorithm))
        if let identity { algorithms.insert(identity.algorithm) }
        // The first full read learns what clients may want to verify with.
        if location.provenAt == nil { algorithms.formUnion([.sha256, .sha512, .md5]) }
        let read = LocationRead(
            .init(
                driver: backend.driver, path: location.path, expectedSize: location.size ?? subject.representation?.size,
                algorithms: algorithms, isFresh: isFresh,
                // A second read is there to contradict the first: it begins anew.
                progress: isFresh ? nil : try await catalog.readProgress(of: location.id), pace: pace,
                stallTimeout: stallTimeout),
            loop: loop)
        let outcome = keepsProgress && !isFresh ? try await keepingProgress(of: read, location) : await read.run()
        switch outcome {
        case .cancelled: return .cancelled
        case .otherSize(let size): return .other(.init(size: size, digest: nil))
        case .failed(let failure): return .unread(failure)
        case .read(let content):
            let expected = location.digests.all + (identity.map { [$0] } ?? [])
            guard expected.allSatisfy({ content.digests[$0.algorithm] == $0 }) else {
                return .other(.init(size: content.size, digest: content.digests[identity?.algorithm ?? .sha256]))
            }
            return .matched(content)
        }
    }

    /// Writes the progress down every few seconds and when the read is cut off.
    private func keepingProgress(of read: LocationRead, _ location: Location) async throws -> LocationRead.Outcome {
        let catalog = catalog
        let saver = Task {
            var saved: ReadProgress?
            while !Task.isCancelled {
                try await Task.sleep(for: Self.checkpointInterval)
                guard let progress = read.progress, progress != saved else { continue }
                try await catalog.saveReadProgress(progress, of: location.id, at: .now)
                saved = progress
            }
        }
        let outcome = await read.run()
        saver.cancel()
        _ = await saver.result
        if case .cancelled = outcome {
            // In a task of its own: this one is cancelled, and the catalog would not listen to it any more.
            let progress = read.progress
            try await Task { try await catalog.saveReadProgress(progress, of: location.id, at: .now) }.value
        } else {
            try await catalog.saveReadProgress(nil, of: location.id, at: .now)
        }
        return outcome
    }

    private func readOthers(
        of location: Location, _ subject: Subject, _ pace: ReadPace
    ) async throws -> [BlameVerdict.Reading] {
        var readings: [BlameVerdict.Reading] = []
        for other in subject.others {
            switch try await read(other, subject, isFresh: true, keepsProgress: false, pace) {
            case .matched: readings.append(.matched)
            case .other(let content): readings.append(.other(content))
            case .unread, .cancelled: readings.append(.unsettled)
            }
        }
        return readings
    }

    func allowsQuarantine(on backend: BackendID) -> Bool { limit.withLock { $0.allows(backend, at: .now) } }

    func metadata(of location: Location) -> Logger.Metadata {
        ["location": "\(location.id)", "backend": "\(location.backend)", "image": "\(location.image)"]
    }
}
