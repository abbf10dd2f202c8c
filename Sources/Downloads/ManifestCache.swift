package import ImageCatalog
package import ImageModel
import Integrity
package import Logging
package import RelayEngine
import Synchronization

/// Provides the pages of manifests: recently used ones from memory, others from the catalog.
package final class ManifestCache: Sendable {
    private struct Key: Hashable {
        let manifest: Int64
        let page: Int
    }

    private struct State {
        var pages: [Key: (digests: [UInt8], usedAt: Int)] = [:]
        var uses = 0
    }

    private let manifests: any ManifestStore
    private let capacity: Int
    private let logger: Logger
    private let state = Mutex(State())

    /// The number of attempts to read a page while the catalog is busy.
    private static let attempts = 5

    /// - Parameter capacity: the number of pages kept in memory, 32 KiB each.
    package init(manifests: any ManifestStore, capacity: Int = 256, logger: Logger) {
        self.manifests = manifests
        self.capacity = max(1, capacity)
        self.logger = logger
    }

    /// A manifest with the page that lists the chunk at `offset`; nil if the page can't be read, in which case the manifest is
    /// not used.
    package func open(_ stored: StoredManifest, at offset: Int64) async -> RelayManifest? {
        let first = stored.layout.page(of: stored.layout.chunk(at: offset))
        guard let digests = await page(first, of: stored) else { return nil }
        return RelayManifest(layout: stored.layout, pages: [first: digests]) { page, loaded in
            Task { loaded(await self.page(page, of: stored)) }
        }
    }

    /// The digests of a page; nil if it can't be read. A page that is corrupt in the catalog invalidates its manifest.
    package func page(_ number: Int, of stored: StoredManifest) async -> [UInt8]? {
        let key = Key(manifest: stored.number, page: number)
        if let digests = held(key) { return digests }
        do {
            guard let page = try await read(number, of: stored), page.isIntact(in: stored.layout) else {
                // A page that no longer exists was replaced meanwhile: nothing is damaged.
                guard try await forget(stored) else { return nil }
                logger.critical(
                    "manifest.damaged: A page of a manifest is damaged in the catalog. The manifest is discarded; the next verification stores a new one.",
                    metadata: ["manifest": .stringConvertible(stored.number), "page": .stringConvertible(number)])
                return nil
            }
            hold(page.digests, key)
            return page.digests
        } catch {
            logger.error(
                "manifest.unreadable: A page of a manifest could not be read.",
                metadata: [
                    "manifest": .stringConvertible(stored.number), "page": .stringConvertible(number), "error": "\(error)",
                ])
            return nil
        }
    }

    private func forget(_ stored: StoredManifest) async throws -> Bool {
        state.withLock { state in state.pages = state.pages.filter { $0.key.manifest != stored.number } }
        return try await manifests.forgetManifest(stored)
    }

    private func read(_ number: Int, of stored: StoredManifest) async throws -> ManifestPage? {
        for attempt in 1..<Self.attempts {
            do {
                return try await manifests.manifestPage(number, of: stored)
            } catch CatalogError.busy {
                try await Task.sleep(for: .milliseconds(100 * attempt))
            }
        }
        return try await manifests.manifestPage(number, of: stored)
    }

    private func held(_ key: Key) -> [UInt8]? {
        state.withLock { state in
            state.uses += 1
            state.pages[key]?.usedAt = state.uses
            return state.pages[key]?.digests
        }
    }

    private func hold(_ digests: [UInt8], _ key: Key) {
        state.withLock { state in
            state.uses += 1
            state.pages[key] = (digests, state.uses)
            if state.pages.count > capacity, let oldest = state.pages.min(by: { $0.value.usedAt < $1.value.usedAt }) {
                state.pages[oldest.key] = nil
            }
        }
    }
}
