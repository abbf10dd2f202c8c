package import FoundationEssentials
package import ImageModel

/// The manifests of representations. Every operation is one transaction; errors are `CatalogError`s.
package protocol ManifestStore: Sendable {
    /// Stores the manifest of a representation whose whole digest matched, unless a readable one exists or the representation
    /// has changed.
    /// - Parameter pages: all pages of the layout, sealed.
    /// - Returns: whether it was stored.
    func addManifest(_ layout: ChunkLayout, pages: [ManifestPage], of representation: Representation, at time: Date)
        async throws
        -> Bool
    /// One page of a manifest; nil if there is none, or if the manifest was deleted.
    func manifestPage(_ page: Int, of manifest: StoredManifest) async throws -> ManifestPage?
    /// Deletes a manifest that can't be trusted; the next whole verification builds a new one.
    /// - Returns: whether it existed.
    func forgetManifest(_ manifest: StoredManifest) async throws -> Bool
    /// The locations to read in full for missing manifests. Of each non-empty representation without a manifest and without a
    /// hold, it is the first active location whose next read is not set for later. The newest come first.
    /// - Parameters:
    ///   - backends: only locations in these backends.
    ///   - images: only locations of these images; nil for all.
    ///   - cursor: the end of the previous page; nil for the first page.
    ///   - limit: the largest number of locations per page.
    func locationsForManifests(
        in backends: [BackendID], of images: [ImageID]?, after cursor: ManifestCandidates.Cursor?, limit: Int, at time: Date
    ) async throws -> ManifestCandidates
}

/// A page of locations whose full reads would build manifests.
package struct ManifestCandidates: Sendable, Equatable {
    /// The end of a page.
    package struct Cursor: Sendable, Hashable {
        let number: Int64
    }

    package let locations: [Location]
    /// The start of the next page; nil if this is the last one.
    package let next: Cursor?
}
