internal import BackendKit
internal import FoundationEssentials
public import ImageCatalog
internal import ImageModel
public import Logging
public import RelayEngine
public import ServiceLifecycle

/// Finds out whether a backend whose breaker is open works again, by one real ranged read of what failed there last: no client's
/// download is spent on that.
public struct BreakerTrials: Service, CustomStringConvertible {
    private let catalog: any CatalogStore
    private let relays: Relays
    private let inquiry: ObjectInquiry
    private let logger: Logger

    /// How often it looks for trials that are due.
    private static let interval: Duration = .seconds(1)

    /// - Parameter inquiry: who reads.
    public init(catalog: any CatalogStore, relays: Relays, inquiry: ObjectInquiry, logger: Logger) {
        self.catalog = catalog
        self.relays = relays
        self.inquiry = inquiry
        self.logger = logger
    }

    /// As the log of the services' life names it.
    public var description: String { "trials of backends" }

    /// Works until the service shuts down.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withTaskGroup { group in
                    for trial in relays.beginTrials() { group.addTask { await carryOut(trial.backend, trial.location) } }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func carryOut(_ backend: BackendID, _ id: LocationID) async {
        let location: Location?
        do {
            location = try await catalog.location(id)
        } catch {
            // Our trouble, not the backend's: the trial is taken up again when its time is over.
            logger.warning("A backend could not be tried.", metadata: ["backend": "\(backend)", "error": "\(error)"])
            return
        }
        let failure: AttemptFailure?
        switch await verdict(on: backend, at: location) {
        case .unasked: return
        case .works: failure = nil
        case .failed(let reason): failure = reason
        }
        relays.endTrial(of: backend, worked: failure == nil)
        if let failure {
            logger.warning(
                "A backend failed its trial and is asked last.", metadata: ["backend": "\(backend)", "failure": "\(failure)"])
        } else {
            logger.notice("A backend works again.", metadata: ["backend": "\(backend)"])
        }
    }

    private enum Verdict {
        case works
        case failed(AttemptFailure)
        /// It was not asked: the trial is taken up again when its time is over.
        case unasked
    }

    /// What a read says about the backend. It works if it answered, even without this object or not to us.
    private func verdict(on backend: BackendID, at location: Location?) async -> Verdict {
        // The location was forgotten meanwhile: the next downloads will tell.
        guard let location else { return .works }
        switch await inquiry.head(of: location.path, in: backend, isEmpty: location.size == 0) {
        case .success: return .works
        case .failure(let failure):
            switch failure.failureClass {
            case .location, .credentials: return .works
            case .backend: return .failed(failure)
            // Whoever asks for patience is alive; but when all of its connections are taken by us it was not asked.
            case .throttled: return failure.reason == .busy ? .unasked : .works
            case .local: return .unasked
            }
        }
    }
}
