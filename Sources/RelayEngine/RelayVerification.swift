import ImageModel
import Integrity

/// What verifies a relay's bytes as they flow by: the digest of the whole, or the digest of each chunk.
struct RelayVerification: ~Copyable {
    /// A page is asked for when the chunks of the page before have so few to go: some hundred MiB ahead.
    private static let lookahead = 256

    private let plan: RelayPlan
    private let manifest: RelayManifest?
    private var digest: DigestStream
    private var builder: ManifestBuilder?
    private var verifier: ChunkVerifier?
    private var asked: Set<Int> = []
    /// What the state machine has been told.
    private var told: Int64

    /// - Parameters:
    ///   - manifest: the digests of chunks, where the plan verifies by them.
    ///   - layout: how to cut a manifest that is made on the way; nil makes none.
    init(_ plan: RelayPlan, algorithm: DigestAlgorithm, manifest: RelayManifest?, making layout: ChunkLayout?) {
        self.plan = plan
        self.manifest = manifest
        digest = DigestStream(algorithm)
        told = plan.start
        switch plan.verification {
        case .digest: builder = layout.map { ManifestBuilder($0) }
        case .chunks(let layout):
            verifier = ChunkVerifier(layout, from: plan.start)
            for (page, digests) in manifest?.pages ?? [:] { verifier?.supply(digests, ofPage: page) }
        case .none: break
        }
    }

    /// Takes the next bytes in.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if verifier != nil {
            verifier?.update(bytes)
        } else if plan.verification == .digest {
            digest.update(bytes)
            builder?.update(bytes)
        }
    }

    /// What the bytes taken in so far come to, as far as it is news.
    mutating func news() -> [RelayEvent] {
        guard let verifier else { return [] }
        var events: [RelayEvent] = []
        if verifier.verified > told {
            told = verifier.verified
            events.append(.verified(upTo: told))
        }
        if let rejection = verifier.rejection {
            events.append(.rejected(start: rejection.start, digest: rejection.digest))
        }
        return events
    }

    /// The pages to ask for now, each once.
    mutating func wantedPages() -> [Int] {
        guard let verifier, let needed = verifier.neededPage else { return [] }
        var wanted = [needed]
        let layout = verifier.layout
        let chunk = layout.chunk(at: verifier.verified)
        if layout.chunks(of: needed).upperBound - chunk <= Self.lookahead, layout.start(of: chunk) < plan.end {
            wanted.append(needed + 1)
        }
        let last = layout.page(of: layout.chunk(at: plan.end - 1))
        return wanted.filter { $0 <= last && !verifier.has(page: $0) && asked.insert($0).inserted }
    }

    /// Asks for a page.
    func load(_ page: Int, loaded: @escaping @Sendable ([UInt8]?) -> Void) { manifest?.load(page, loaded) }

    /// Takes a page in.
    mutating func supply(_ digests: [UInt8], ofPage page: Int) { verifier?.supply(digests, ofPage: page) }

    /// Goes on at the first byte of the chunk that was rejected.
    mutating func rewind() { verifier?.restart() }

    /// Forgets everything taken in.
    mutating func start() {
        digest.start()
        builder?.start()
    }

    /// The digest of the whole, and the manifest that was made on the way.
    mutating func finish() -> (digest: Digest, manifest: Manifest?) { (digest.finish(), builder?.manifest) }
}
