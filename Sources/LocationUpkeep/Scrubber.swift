internal import FoundationEssentials
public import ImageCatalog
internal import ImageModel
public import Logging
public import ServiceLifecycle

/// Proves active locations anew from time to time, the oldest proof first, one at a time and at a limited rate. A read that a
/// restart cuts off goes on where it was.
public struct Scrubber: Service, CustomStringConvertible {
    private let catalog: any CatalogStore
    private let verifier: Verifier
    private let schedule: ReadSchedule
    private let pace: ReadPace
    private let roundInterval: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - pace: how fast it may read.
    ///   - roundInterval: how long to wait when nothing is due.
    public init(
        catalog: any CatalogStore, verifier: Verifier, schedule: ReadSchedule, pace: ReadPace, roundInterval: Duration,
        logger: Logger
    ) {
        self.catalog = catalog
        self.verifier = verifier
        self.schedule = schedule
        self.pace = pace
        self.roundInterval = roundInterval
        self.logger = logger
    }

    /// As the log of the services' life names it.
    public var description: String { "scrubber" }

    /// Works until the service shuts down.
    public func run() async throws {
        guard let interval = schedule.scrubInterval else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await !scrubNext(interval) { try? await Task.sleep(for: roundInterval) }
            }
        }
    }

    /// - Returns: whether something was due, and dealt with.
    private func scrubNext(_ interval: Duration) async -> Bool {
        do {
            let now = Date.now
            guard let next = try await catalog.nextToScrub(provenBefore: now - interval.timeInterval, at: now) else {
                return false
            }
            let result = try await verifier.verify(next.id, pace: pace)
            return result != .skipped && result != .undecided
        } catch is CancellationError {
            return false
        } catch {
            logger.warning("A scrub failed.", metadata: ["error": "\(error)"])
            return false
        }
    }
}
