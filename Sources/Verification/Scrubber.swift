import FoundationEssentials
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import Logging
import ServiceLifecycle

/// Re-verifies active locations periodically, the oldest verification first, one at a time and at a limited rate. A read that a
/// restart interrupts continues where it was.
package struct Scrubber: Service, CustomStringConvertible {
    private let verifications: any VerificationStore
    private let verifier: Verifier
    private let schedule: ReadSchedule
    private let pace: ReadRateLimiter
    private let roundInterval: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - pace: the rate limit.
    ///   - roundInterval: how long to wait if nothing is due.
    package init(
        verifications: any VerificationStore, verifier: Verifier, schedule: ReadSchedule, pace: ReadRateLimiter,
        roundInterval: Duration, logger: Logger
    ) {
        self.verifications = verifications
        self.verifier = verifier
        self.schedule = schedule
        self.pace = pace
        self.roundInterval = roundInterval
        self.logger = logger
    }

    /// The service's name in the log.
    package var description: String { "scrubber" }

    /// Runs until the service shuts down.
    package func run() async throws {
        guard let interval = schedule.scrubInterval else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await !scrubNext(interval) { try? await Task.sleep(for: roundInterval) }
            }
        }
    }

    /// - Returns: whether a scrub was due and was carried out.
    private func scrubNext(_ interval: Duration) async -> Bool {
        do {
            let now = Date.now
            guard let next = try await verifications.nextToScrub(verifiedBefore: now - interval.timeInterval, at: now) else {
                return false
            }
            let result = try await verifier.verify(next.id, pace: pace)
            return result != .skipped && result != .undecided
        } catch is CancellationError {
            return false
        } catch {
            logger.warning("scrub.failed: A scrub failed.", metadata: ["error": "\(error)"])
            return false
        }
    }
}
