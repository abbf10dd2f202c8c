internal import ImageCatalog
internal import ImageModel
internal import Integrity

/// What a full read computes of the bytes as they come: the digests of the whole, and those of its chunks where a manifest is to be
/// made. It is written down with the read's progress, and goes on from there after a restart.
struct ReadDigests: Sendable {
    private let algorithms: Set<DigestAlgorithm>
    private let chunkSize: Int64?
    private var whole: ResumableDigests
    private var chunks: ManifestBuilder?
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The progress that it went on from; nil where it began at the first byte.
    let resumed: ReadProgress?

    /// - Parameters:
    ///   - chunkSize: the size of a manifest's chunks; nil makes none.
    ///   - progress: how far an earlier read came. It is of no use where that computed other digests, or was another build's. One that
    ///     has no chunks goes on without: this read makes no manifest then, the next one does.
    init(_ algorithms: Set<DigestAlgorithm>, chunkSize: Int64?, progress: ReadProgress?) {
        self.algorithms = algorithms
        self.chunkSize = chunkSize
        if let progress, let whole = ResumableDigests(snapshot: progress.digests), Set(whole.algorithms) == algorithms {
            self.whole = whole
            position = progress.position
            resumed = progress
            // Cut as it was begun, even if another size is configured now.
            chunks =
                chunkSize == nil
                ? nil
                : progress.chunks.flatMap {
                    ManifestBuilder($0.layout, position: progress.position, digests: $0.digests, snapshot: $0.state)
                }
        } else {
            whole = ResumableDigests(algorithms)
            position = 0
            resumed = nil
        }
    }

    /// The size is known. Chunks can be cut from then on, if no byte has come yet.
    mutating func begin(size: Int64) {
        guard position == 0, let chunkSize else { return }
        chunks = ChunkLayout(size: size, chunkSize: chunkSize).map { ManifestBuilder($0) }
    }

    /// Takes the next bytes in.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        whole.update(bytes)
        chunks?.update(bytes)
        position += Int64(bytes.count)
    }

    /// Forgets everything taken in: the object is another one now.
    mutating func start() {
        self = ReadDigests(algorithms, chunkSize: chunkSize, progress: nil)
    }

    /// The digests of everything taken in so far.
    var finished: DigestSet { whole.finished() }

    /// The digests of all chunks, once every byte was taken in; nil where none is made. True only if the whole's digest is the declared.
    var manifest: Manifest? { chunks?.manifest }

    /// So many bytes should come between two notes: what has been computed is copied for a note, which should cost less than reading.
    var stride: Int64 { max(8 << 20, 4 * Int64(chunks?.digests.count ?? 0)) }

    /// How far it is, to be written down.
    func progress(size: Int64, validator: Validator?) -> ReadProgress {
        ReadProgress(
            position: position, size: size, validator: validator, digests: whole.snapshot,
            chunks: chunks.map { .init(layout: $0.layout, digests: $0.digests, state: $0.snapshot) })
    }
}
