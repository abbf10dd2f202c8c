public import ImageModel

/// Makes a manifest of a whole's bytes as they flow by. It is worth nothing until the digest of the whole has matched.
///
/// It keeps the digests, 32 bytes for each MiB, and can be written down half-way to go on after a restart.
public struct ManifestBuilder: Sendable {
    private var digester: ChunkDigester
    /// The digests of the finished chunks, one behind the other.
    public private(set) var digests: [UInt8] = []

    /// A builder that has seen no byte.
    public init(_ layout: ChunkLayout) { digester = ChunkDigester(layout) }

    /// How the whole is cut.
    public var layout: ChunkLayout { digester.layout }

    /// The offset of the next byte.
    public var position: Int64 { digester.position }

    /// Takes the next bytes in.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Moved out for the while: the closure may not touch what is being changed.
        var digests = digests
        self.digests = []
        digester.update(bytes) { _, digest in digests += digest }
        self.digests = digests
    }

    /// Forgets everything taken in.
    public mutating func start() { self = ManifestBuilder(layout) }

    /// The manifest, once every byte has been taken in.
    public var manifest: Manifest? { position == layout.size ? Manifest(layout: layout, digests: digests) : nil }
}

extension ManifestBuilder {
    /// The state of the chunk that is not finished, for this build of Baton on this kind of machine only.
    public var snapshot: [UInt8] { digester.snapshot }

    /// Goes on at `position` from what was written down; nil when it does not fit or was taken by another build.
    public init?(_ layout: ChunkLayout, position: Int64, digests: [UInt8], snapshot: [UInt8]) {
        guard (0...layout.size).contains(position), let state = DigestState(layout.algorithm, bytes: snapshot) else {
            return nil
        }
        let finished = position == layout.size ? layout.count : layout.chunk(at: position)
        guard digests.count == finished * layout.algorithm.byteCount else { return nil }
        digester = ChunkDigester(layout, position: position, state: state)
        self.digests = digests
    }
}
