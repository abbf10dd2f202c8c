package import Downloads
package import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import RelayEngine

/// Collects the inputs of a download's plan. The routes for downloads and explanations use it, so their answers agree.
package struct DownloadPlanner: Sendable {
    private let relays: Relays
    private let holds: PendingIntegrityHolds
    private let deliveries: UnverifiedDeliveries
    private let manifests: ManifestCache

    /// - Parameters:
    ///   - holds: integrity holds that the catalog has not recorded yet.
    ///   - deliveries: the downloads that have sent unverified bytes.
    ///   - manifests: reads the digests of chunks.
    package init(
        relays: Relays, holds: PendingIntegrityHolds, deliveries: UnverifiedDeliveries, manifests: ManifestCache
    ) {
        self.relays = relays
        self.holds = holds
        self.deliveries = deliveries
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
        let isHeld = mustWithholdRanges(of: representation, resolution, at: now)
        var manifest: RelayManifest?
        if let stored = resolution.manifest {
            manifest = await manifests.open(stored, at: isHeld ? 0 : range?.first ?? 0)
        }
        let plan = relays.downloadPlan(
            of: representation, range: range, hasManifest: manifest != nil, isHeld: isHeld, locations: resolution.locations)
        return PlannedDownload(plan: plan, manifest: manifest)
    }

    /// Whether ranges are withheld for now, because a client may have wrong bytes that a range would turn into a complete but
    /// corrupt file.
    private func mustWithholdRanges(of representation: Representation, _ resolution: Resolution, at now: Date) -> Bool {
        !holds.applyingHolds(to: representation).servesRanges(at: now)
            || deliveries.hasUnverifiedDelivery(
                representation.name, resolution.locations, manifestMadeAt: resolution.manifest?.madeAt, at: now)
    }
}
