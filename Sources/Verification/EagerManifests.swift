import BackendKit
import FoundationEssentials
package import ImageCatalog
import ImageModel
package import LocationLifecycle
package import Logging
package import RelayEngine
import ServiceLifecycle
import Synchronization

/// Reads one location of each representation without a manifest, so that the manifest exists before a client requests a range.
/// Running downloads' representations come first, then the newest. Pending work is kept in the catalog, so that a restart loses
/// none of it and it needs no memory.
package final class EagerManifests: Service, CustomStringConvertible {
    /// The number of catalog rows per query.
    private static let pageSize = 64
    /// The largest number of downloading images per query.
    private static let downloadedLimit = 256

    private let manifests: any ManifestStore
    private let verifier: Verifier
    private let statusChanges: LocationStatusChanges
    private let relays: Relays
    private let pace: ReadRateLimiter
    private let interval: Duration
    private let logger: Logger
    private let queue: Mutex<ManifestQueue>

    /// - Parameters:
    ///   - statusChanges: signals when a location begins to serve.
    ///   - relays: the running downloads.
    ///   - pace: the rate limit of all its reads together.
    ///   - readers: the number of concurrent reads, each of a different backend.
    ///   - interval: the interval between checks without a signal.
    package init(
        manifests: any ManifestStore, verifier: Verifier, statusChanges: LocationStatusChanges, relays: Relays,
        pace: ReadRateLimiter,
        readers: Int, interval: Duration, logger: Logger
    ) {
        self.manifests = manifests
        self.verifier = verifier
        self.statusChanges = statusChanges
        self.relays = relays
        self.pace = pace
        self.interval = interval
        self.logger = logger
        queue = Mutex(ManifestQueue(readers: readers))
    }

    /// The service's name in the log.
    package var description: String { "manifest reads" }

    /// Runs until the service shuts down. Running reads are then cancelled and keep their progress.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        self.statusChanges.activations.wake()
                        try? await Task.sleep(for: self.interval)
                    }
                }
                for await _ in self.statusChanges.activations.wakes {
                    while let next = await self.next() { group.addTask { await self.read(next) } }
                }
            }
        }
    }

    /// The next location to read, marked as being read; nil if no read may begin now.
    private func next() async -> Location? {
        let backends = relays.registry.all.map(\.id)
        let available = queue.withLock { $0.available(backends, at: .now) }
        guard !available.isEmpty, !Task.isCancelled else { return nil }
        do {
            let downloaded = relays.running.withoutManifest
            if !downloaded.isEmpty {
                let images = Array(Set(downloaded.map(\.image)).prefix(Self.downloadedLimit))
                if let first = try await take(in: available, of: images, where: downloaded.contains) { return first }
            }
            return try await take(in: available, of: nil) { _ in true }
        } catch is CancellationError {
            return nil
        } catch {
            logger.warning(
                "manifest.listing_failed: The images without a manifest could not be listed.", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func take(
        in backends: [BackendID], of images: [ImageID]?, where isWanted: (Representation.Name) -> Bool
    ) async throws -> Location? {
        var cursor: ManifestCandidates.Cursor?
        repeat {
            let page = try await manifests.locationsForManifests(
                in: backends, of: images, after: cursor, limit: Self.pageSize, at: .now)
            let chosen = queue.withLock { queue -> Location? in
                let chosen = page.locations.first { isWanted($0.representation) && queue.allows($0, at: .now) }
                if let chosen { queue.begin(chosen) }
                return chosen
            }
            if let chosen { return chosen }
            cursor = page.next
        } while cursor != nil
        return nil
    }

    private func read(_ location: Location) async {
        var result: Verifier.Result?
        do {
            result = try await verifier.verify(location.id, pace: pace)
        } catch is CancellationError {
        } catch {
            logger.error(
                "manifest.read_failed: A location could not be read for a manifest.",
                metadata: ["location": "\(location.id)", "error": "\(error)"])
        }
        queue.withLock { $0.end(location, result, at: .now) }
        statusChanges.activations.wake()
    }
}
