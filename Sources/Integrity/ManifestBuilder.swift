package import ImageModel

/// Builds a manifest from a byte stream. The manifest is valid only after the digest of the whole has matched.
///
/// It keeps 32 bytes for each MiB, and its state can be saved to continue after a restart.
package struct ManifestBuilder: Sendable {
    private var digester: ChunkDigester
    /// The concatenated digests of the completed chunks.
    package private(set) var digests: [UInt8] = []

    package init(_ layout: ChunkLayout) { digester = ChunkDigester(layout) }

    package var layout: ChunkLayout { digester.layout }

    /// The offset of the next byte.
    package var position: Int64 { digester.position }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Moved out temporarily: the closure must not access a property that is being modified.
        var digests = digests
        self.digests = []
        digester.update(bytes) { _, digest in digests += digest }
        self.digests = digests
    }

    /// Discards all bytes and starts over.
    package mutating func start() { self = ManifestBuilder(layout) }

    /// The manifest; nil until every byte has been added.
    package var manifest: Manifest? { position == layout.size ? Manifest(layout: layout, digests: digests) : nil }
}

extension ManifestBuilder {
    /// The state of the incomplete chunk, valid only for this build of Baton on this kind of machine.
    package var snapshot: [UInt8] { digester.snapshot }

    /// Restores a saved state at `position`; nil if it does not fit or comes from another build.
    package init?(_ layout: ChunkLayout, position: Int64, digests: [UInt8], snapshot: [UInt8]) {
        guard (0...layout.size).contains(position), let state = DigestState(layout.algorithm, bytes: snapshot) else {
            return nil
        }
        let finished = position == layout.size ? layout.count : layout.chunk(at: position)
        guard digests.count == finished * layout.algorithm.byteCount else { return nil }
        digester = ChunkDigester(layout, position: position, state: state)
        self.digests = digests
    }
}
