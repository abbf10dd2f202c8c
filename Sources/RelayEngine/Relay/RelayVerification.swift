import ImageModel
import Integrity

/// Verifies a relay's bytes as they come: by the digest of the whole, or by the digest of each chunk.
struct RelayVerification: ~Copyable {
    /// The number of chunks before the end of a page at which the next page is requested: some hundred MiB ahead.
    private static let lookahead = 256

    private let plan: RelayPlan
    private let manifest: RelayManifest?
    private var digest: DigestStream
    private var builder: ManifestBuilder?
    private var verifier: ChunkVerifier?
    private var requestedPages: Set<Int> = []
    /// The offset that was last reported as verified.
    private var reportedEnd: Int64

    /// - Parameters:
    ///   - manifest: the digests of the chunks, if the plan verifies by them.
    ///   - layout: the chunks of the manifest to make; nil for no manifest.
    init(_ plan: RelayPlan, algorithm: DigestAlgorithm, manifest: RelayManifest?, making layout: ChunkLayout?) {
        self.plan = plan
        self.manifest = manifest
        digest = DigestStream(algorithm)
        reportedEnd = plan.start
        switch plan.verification {
        case .digest: builder = layout.map { ManifestBuilder($0) }
        case .chunks(let layout):
            verifier = ChunkVerifier(layout, from: plan.start)
            for (page, digests) in manifest?.pages ?? [:] { verifier?.supply(digests, ofPage: page) }
        case .none: break
        }
    }

    /// Digests the next bytes of the relay.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if verifier != nil {
            verifier?.update(bytes)
        } else if plan.verification == .digest {
            digest.update(bytes)
            builder?.update(bytes)
        }
    }

    /// The results since the last call.
    mutating func newEvents() -> [RelayEvent] {
        guard let verifier else { return [] }
        var events: [RelayEvent] = []
        if verifier.verified > reportedEnd {
            reportedEnd = verifier.verified
            events.append(.chunksVerified(upTo: reportedEnd))
        }
        if let rejected = verifier.rejectedChunk {
            events.append(.chunkRejected(start: rejected.start, digest: rejected.digest))
        }
        return events
    }

    /// The pages of the manifest to request now. Each page is returned once.
    mutating func wantedPages() -> [Int] {
        guard let verifier, let needed = verifier.neededPage else { return [] }
        var wanted = [needed]
        let layout = verifier.layout
        let chunk = layout.chunk(at: verifier.verified)
        if layout.chunks(of: needed).upperBound - chunk <= Self.lookahead, layout.start(of: chunk) < plan.end {
            wanted.append(needed + 1)
        }
        let last = layout.page(of: layout.chunk(at: plan.end - 1))
        return wanted.filter { $0 <= last && !verifier.has(page: $0) && requestedPages.insert($0).inserted }
    }

    /// Requests a page of the manifest.
    func load(_ page: Int, loaded: @escaping @Sendable ([UInt8]?) -> Void) { manifest?.load(page, loaded) }

    /// Adds a page of the manifest: the digests of its chunks.
    mutating func supply(_ digests: [UInt8], ofPage page: Int) { verifier?.supply(digests, ofPage: page) }

    /// Continues at the first byte of the rejected chunk.
    mutating func rewind() { verifier?.restart() }

    /// Forgets all bytes: the whole is read again.
    mutating func start() {
        digest.start()
        builder?.start()
    }

    /// The digest of the whole, and the manifest if one was made.
    mutating func finish() -> (digest: Digest, manifest: Manifest?) { (digest.finish(), builder?.manifest) }
}
