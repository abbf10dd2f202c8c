internal import FoundationEssentials
public import ImageCatalog
public import ImageModel
public import Logging
public import RelayEngine
public import ServiceLifecycle
internal import Synchronization

/// Reads locations alone in the background, one at a time: those that contributed to a failed proof, to clear or quarantine
/// them, and those that served a range without ever having been proven.
public final class ProofQueue: Service, CustomStringConvertible {
    private struct State {
        var waiting: [LocationID] = []
        var isAwake: AsyncStream<Void>.Continuation?
    }

    private let catalog: any CatalogStore
    private let read: ProofRead
    private let logger: Logger
    private let state = Mutex(State())
    private let limit = Mutex(QuarantineLimit())
    private let wakes: AsyncStream<Void>

    /// An empty queue; it works while `run()` runs.
    public init(catalog: any CatalogStore, relays: Relays, logger: Logger) {
        self.catalog = catalog
        self.logger = logger
        read = ProofRead(relays: relays)
        let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wakes = wakes
        state.withLock { $0.isAwake = continuation }
    }

    /// Asks for a read of the location, unless one is waiting already.
    public func enqueue(_ location: LocationID) {
        state.withLock { state in
            guard !state.waiting.contains(location) else { return }
            state.waiting.append(location)
            state.isAwake?.yield()
        }
    }

    /// As the log of the services' life names it.
    public var description: String { "proof queue" }

    /// Works until the task is cancelled or the service shuts down.
    public func run() async throws {
        for location in try await catalog.accusedLocations() { enqueue(location.id) }
        for await _ in wakes.cancelOnGracefulShutdown() {
            while let next = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
                guard !Task.isCancelled else { return }
                do {
                    try await prove(next)
                } catch {
                    logger.error("A location could not be proven.", metadata: ["location": "\(next)", "error": "\(error)"])
                }
            }
        }
    }

    private func prove(_ id: LocationID) async throws {
        guard let location = try await catalog.location(id), location.state.status == .active,
            let resolution = try await catalog.resolve(location.image, format: RequestedFormat(location.format)),
            let representation = resolution.representation
        else { return }
        let (first, validator) = await read.run(location, of: representation, isFresh: false)
        if first == .matched { return try await clear(location, validator) }
        guard case .computed = first else { return }
        let (second, secondValidator) = await read.run(location, of: representation, isFresh: true)
        if second == .matched { return try await clear(location, secondValidator) }
        let accused = second == first ? first : .unsettled
        var others: [BlameVerdict.Reading] = []
        for other in resolution.locations where other.id != id && other.state.status == .active {
            others.append(await read.run(other, of: representation, isFresh: true).reading)
        }
        try await carryOut(BlameVerdict(accused: accused, others: others), on: location)
    }

    private func clear(_ location: Location, _ validator: Validator?) async throws {
        try await catalog.recordProof(of: location.id, validator: validator, at: .now)
        logger.info("A location was read alone and is proven.", metadata: ["location": "\(location.id)"])
    }

    private func carryOut(_ verdict: BlameVerdict, on location: Location) async throws {
        let metadata: Logger.Metadata = ["location": "\(location.id)", "backend": "\(location.backend)"]
        switch verdict {
        case .clear, .undecided:
            logger.warning("Reads of a location contradict each other; it stays accused.", metadata: metadata)
        case .distrustDeclared:
            logger.critical(
                "Two locations agree with each other against the declared digest: the digest is wrong, or both are.",
                metadata: metadata)
        case .quarantine:
            guard limit.withLock({ $0.allows(location.backend, at: .now) }) else {
                logger.critical("A backend has too many wrong locations at once; none is quarantined now.", metadata: metadata)
                return
            }
            _ = try await catalog.apply(
                .quarantine, to: location.id, actor: "baton", reason: "two reads of it alone did not match the digest",
                at: .now, validator: nil)
            logger.error("A location was quarantined: its content is wrong.", metadata: metadata)
        }
    }
}
