package import ImageModel

/// Makes a manifest of a whole's bytes as they flow by. It is worth nothing until the digest of the whole has matched.
///
/// It keeps the digests, 32 bytes for each MiB, and can be written down half-way to go on after a restart.
package struct ManifestBuilder: Sendable {
    private var digester: ChunkDigester
    /// The digests of the finished chunks, one behind the other.
    package private(set) var digests: [UInt8] = []

    /// A builder that has seen no byte.
    package init(_ layout: ChunkLayout) { digester = ChunkDigester(layout) }

    /// How the whole is cut.
    package var layout: ChunkLayout { digester.layout }

    /// The offset of the next byte.
    package var position: Int64 { digester.position }

    /// Takes the next bytes in.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Moved out for the while: the closure may not touch what is being changed.
        var digests = digests
        self.digests = []
        digester.update(bytes) { _, digest in digests += digest }
        self.digests = digests
    }

    /// Forgets everything taken in.
    package mutating func start() { self = ManifestBuilder(layout) }

    /// The manifest, once every byte has been taken in.
    package var manifest: Manifest? { position == layout.size ? Manifest(layout: layout, digests: digests) : nil }
}

extension ManifestBuilder {
    /// The state of the chunk that is not finished, for this build of Baton on this kind of machine only.
    package var snapshot: [UInt8] { digester.snapshot }

    /// Goes on at `position` from what was written down; nil when it does not fit or was taken by another build.
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
