package import ImageModel

/// A representation's manifest as a relay reads it: page after page, when it needs them.
package struct RelayManifest: Sendable {
    /// How the representation is cut.
    package let layout: ChunkLayout
    /// The digests of pages that are at hand, one behind the other, by the page's number.
    package let pages: [Int: [UInt8]]
    /// Reads a page; calls back once, on any thread, with its digests, or nil when it can't be read.
    package let load: @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void

    /// A manifest with every property given.
    package init(
        layout: ChunkLayout, pages: [Int: [UInt8]],
        load: @escaping @Sendable (_ page: Int, _ loaded: @escaping @Sendable ([UInt8]?) -> Void) -> Void
    ) {
        self.layout = layout
        self.pages = pages
        self.load = load
    }
}
