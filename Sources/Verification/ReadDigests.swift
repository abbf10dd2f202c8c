import FormatInspection
import ImageCatalog
import ImageModel
import Integrity

/// The computations of a full read over its bytes: the digests of the whole, those of its chunks if a manifest is built, and
/// the inspection of the format. The state is saved with the read's progress, and restored after a restart.
struct ReadDigests: Sendable {
    private let algorithms: Set<DigestAlgorithm>
    private let chunkSize: Int64?
    private let declared: Format?
    private var whole: ResumableDigests
    private var inspector: FormatInspector?
    private var chunks: ManifestBuilder?
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The progress that it continues from; nil if it began at the first byte.
    let resumed: ReadProgress?

    /// - Parameters:
    ///   - chunkSize: the size of a manifest's chunks; nil builds no manifest.
    ///   - declared: the format that the bytes must have; nil disables the inspection.
    ///   - progress: the progress of an earlier read. It is ignored if it has other digests, lacks the inspection, or comes
    ///     from another build. A read that continues without chunks builds no manifest; the next one does.
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
            // The chunk size of the start is kept, even if another one is configured now.
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

    /// Sets the size. Chunks can be computed from then on, if no byte has arrived yet.
    mutating func begin(size: Int64) {
        guard position == 0, let chunkSize else { return }
        chunks = ChunkLayout(size: size, chunkSize: chunkSize).map { ManifestBuilder($0) }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        whole.update(bytes)
        inspector?.update(bytes)
        chunks?.update(bytes)
        position += Int64(bytes.count)
    }

    /// Discards all bytes and starts over, since the object has changed.
    mutating func start() {
        self = ReadDigests(algorithms, chunkSize: chunkSize, declared: declared, progress: nil)
    }

    /// The digests of all bytes so far.
    var finished: DigestSet { whole.finished() }

    /// The refusal of the format; nil if it is acceptable or not inspected.
    var formatRefusal: FormatRefusal? { inspector?.finish() }

    /// The manifest after the last byte; nil if none is built. Valid only if the whole's digest is the declared one.
    var manifest: Manifest? { chunks?.manifest }

    /// The number of bytes between two checkpoints. A checkpoint copies the computed digests, which should cost less than
    /// reading.
    var stride: Int64 { max(8 << 20, 4 * Int64(chunks?.digests.count ?? 0)) }

    /// The progress, to be saved.
    func progress(size: Int64, validator: Validator?) -> ReadProgress {
        ReadProgress(
            position: position, size: size, validator: validator,
            digests: State(whole: whole, inspector: inspector).bytes,
            chunks: chunks.map { .init(layout: $0.layout, digests: $0.digests, state: $0.snapshot) })
    }

    /// The saved state beside the chunks: the inspection's, if there is one, followed by the digests'.
    private struct State {
        let whole: ResumableDigests
        let inspector: FormatInspector?

        init(whole: ResumableDigests, inspector: FormatInspector?) {
            self.whole = whole
            self.inspector = inspector
        }

        /// Nil if the state comes from another build, is damaged, or lacks the required inspection.
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

        /// A tag that no digest's snapshot begins with.
        private static let inspected: UInt8 = 0xFF
    }
}
