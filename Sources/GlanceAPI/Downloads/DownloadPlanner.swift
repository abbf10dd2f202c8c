package import Downloads
package import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import RelayEngine

/// Collects the inputs of a download's plan. The routes for downloads and explanations use it, so their answers agree.
package struct DownloadPlanner: Sendable {
    private let relays: Relays
    private let holds: PendingIntegrityHolds
    private let manifests: ManifestCache

    /// - Parameters:
    ///   - holds: integrity holds that the catalog has not recorded yet.
    ///   - manifests: reads the digests of chunks.
    package init(relays: Relays, holds: PendingIntegrityHolds, manifests: ManifestCache) {
        self.relays = relays
        self.holds = holds
        self.manifests = manifests
    }

    /// A plan, and the manifest that it relies on.
    package struct PlannedDownload: Sendable {
        package let plan: DownloadPlan
        /// The representation's manifest; nil without a readable one.
        package let manifest: RelayManifest?
    }

    /// Plans a download.
    /// - Parameters:
    ///   - representation: the representation of the resolution.
    ///   - range: the requested range; nil for the whole.
    package func plan(
        _ resolution: Resolution, _ representation: Representation, range: ByteRange? = nil, at now: Date = .now
    ) async -> PlannedDownload {
        let isHeld = holds.mustWithholdRanges(of: representation, resolution, at: now)
        var manifest: RelayManifest?
        if let stored = resolution.manifest {
            manifest = await manifests.open(stored, at: isHeld ? 0 : range?.first ?? 0)
        }
        let plan = relays.downloadPlan(
            of: representation, range: range, hasManifest: manifest != nil, isHeld: isHeld, locations: resolution.locations)
        return PlannedDownload(plan: plan, manifest: manifest)
    }
}
