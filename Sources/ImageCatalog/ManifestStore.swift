package import FoundationEssentials
package import ImageModel

/// The part of the catalog that keeps the digests of chunks. Every operation is one transaction; errors are `CatalogError`s.
package protocol ManifestStore: Sendable {
    /// Keeps the manifest of a representation whose whole digest matched, unless there is one that this version can read, or the
    /// representation is not what it was.
    /// - Parameter pages: all of the layout's, sealed.
    /// - Returns: whether it was kept.
    func addManifest(_ layout: ChunkLayout, pages: [ManifestPage], of representation: Representation, at time: Date)
        async throws
        -> Bool
    /// One page; nil if there is none such, or the manifest was forgotten.
    func manifestPage(_ page: Int, of manifest: StoredManifest) async throws -> ManifestPage?
    /// Forgets a manifest that can't be trusted; the next verification of the whole makes a new one.
    /// - Returns: whether it was there.
    func forgetManifest(_ manifest: StoredManifest) async throws -> Bool
    /// The locations to read for the manifests that are missing: of each representation that has bytes and no manifest, and against
    /// which nothing speaks, the first active location whose read is not set for later. The newest come first.
    /// - Parameters:
    ///   - backends: only locations in these.
    ///   - images: only those of these images; nil for all.
    ///   - cursor: where the page before ended; nil for the first page.
    ///   - limit: the most of one page.
    func locationsForManifests(
        in backends: [BackendID], of images: [ImageID]?, after cursor: ManifestCandidates.Cursor?, limit: Int, at time: Date
    ) async throws -> ManifestCandidates
}

/// A page of locations whose full reads would make manifests.
package struct ManifestCandidates: Sendable, Equatable {
    /// Where a page ends.
    package struct Cursor: Sendable, Hashable {
        let number: Int64
    }

    /// The locations, the newest first.
    package let locations: [Location]
    /// Where the next page begins; nil if this is the last one.
    package let next: Cursor?
}
