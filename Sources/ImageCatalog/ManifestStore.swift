public import FoundationEssentials
public import ImageModel

/// The part of the catalog that keeps the digests of chunks. Every operation is one transaction; errors are `CatalogError`s.
public protocol ManifestStore: Sendable {
    /// Keeps the manifest of a representation whose whole digest matched, unless there is one that this version can read, or the
    /// representation is not what it was.
    /// - Parameter pages: all of the layout's, sealed.
    /// - Returns: whether it was kept.
    func addManifest(_ layout: ChunkLayout, pages: [ManifestPage], of representation: Representation, at time: Date)
        async throws
        -> Bool
    /// One page; nil if there is none such, or the manifest was forgotten.
    func manifestPage(_ page: Int, of manifest: StoredManifest) async throws -> ManifestPage?
    /// Forgets a manifest that can't be trusted; the next proof of the whole makes a new one.
    /// - Returns: whether it was there.
    func forgetManifest(_ manifest: StoredManifest) async throws -> Bool
}
