import FormatInspection
import ImageCatalog
import ImageModel
import Integrity

/// What a full read computes of the bytes as they come: the digests of the whole, those of its chunks where a manifest is to be
/// made, and whether they are of the declared format. It is written down with the read's progress, and goes on from there after a restart.
struct ReadDigests: Sendable {
    private let algorithms: Set<DigestAlgorithm>
    private let chunkSize: Int64?
    private let declared: Format?
    private var whole: ResumableDigests
    private var inspector: FormatInspector?
    private var chunks: ManifestBuilder?
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The progress that it went on from; nil where it began at the first byte.
    let resumed: ReadProgress?

    /// - Parameters:
    ///   - chunkSize: the size of a manifest's chunks; nil makes none.
    ///   - declared: the format that the bytes must be of; nil where that is not looked at.
    ///   - progress: how far an earlier read came. It is of no use where that computed other digests, did not look at the format, or
    ///     was another build's. One that
    ///     has no chunks goes on without: this read makes no manifest then, the next one does.
    init(_ algorithms: Set<DigestAlgorithm>, chunkSize: Int64?, declared: Format? = nil, progress: ReadProgress?) {
        self.algorithms = algorithms
        self.chunkSize = chunkSize
        self.declared = declared
        if let progress, let state = State(progress.digests, declared: declared),
            Set(state.whole.algorithms) == algorithms, state.inspector?.position ?? progress.position == progress.position
        {
            whole = state.whole
            inspector = state.inspector
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
            inspector = declared.map { FormatInspector(declared: $0) }
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
        inspector?.update(bytes)
        chunks?.update(bytes)
        position += Int64(bytes.count)
    }

    /// Forgets everything taken in: the object is another one now.
    mutating func start() {
        self = ReadDigests(algorithms, chunkSize: chunkSize, declared: declared, progress: nil)
    }

    /// The digests of everything taken in so far.
    var finished: DigestSet { whole.finished() }

    /// What speaks against the format of everything taken in; nil where nothing does, or it is not looked at.
    var formatRefusal: FormatRefusal? { inspector?.finish() }

    /// The digests of all chunks, once every byte was taken in; nil where none is made. True only if the whole's digest is the declared.
    var manifest: Manifest? { chunks?.manifest }

    /// So many bytes should come between two notes: what has been computed is copied for a note, which should cost less than reading.
    var stride: Int64 { max(8 << 20, 4 * Int64(chunks?.digests.count ?? 0)) }

    /// How far it is, to be written down.
    func progress(size: Int64, validator: Validator?) -> ReadProgress {
        ReadProgress(
            position: position, size: size, validator: validator,
            digests: State(whole: whole, inspector: inspector).bytes,
            chunks: chunks.map { .init(layout: $0.layout, digests: $0.digests, state: $0.snapshot) })
    }

    /// What is written down beside the chunks: the digests' state, behind the inspection's where there is one.
    private struct State {
        let whole: ResumableDigests
        let inspector: FormatInspector?

        init(whole: ResumableDigests, inspector: FormatInspector?) {
            self.whole = whole
            self.inspector = inspector
        }

        /// Nil when it is another build's, or damaged, or lacks the inspection that is wanted.
        init?(_ bytes: [UInt8], declared: Format?) {
            var rest = bytes[...]
            var inspector: FormatInspector?
            if rest.first == Self.inspected {
                guard rest.count >= 5 else { return nil }
                let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(5)
                guard rest.count >= length else { return nil }
                if let declared {
                    inspector = FormatInspector(snapshot: Array(rest.prefix(length)), declared: declared)
                }
                rest = rest.dropFirst(length)
            }
            guard let whole = ResumableDigests(snapshot: Array(rest)), (inspector == nil) == (declared == nil) else {
                return nil
            }
            self.init(whole: whole, inspector: inspector)
        }

        var bytes: [UInt8] {
            guard let inspection = inspector?.snapshot else { return whole.snapshot }
            let length = (0..<4).map { UInt8(truncatingIfNeeded: inspection.count >> (24 - 8 * $0)) }
            return [Self.inspected] + length + inspection + whole.snapshot
        }

        /// No digest's snapshot begins with it.
        private static let inspected: UInt8 = 0xFF
    }
}
