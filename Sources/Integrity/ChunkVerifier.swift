package import ImageModel

/// Verifies a byte stream chunk by chunk against the pages of a manifest, as far as they are supplied.
package struct ChunkVerifier: Sendable {
    /// A chunk whose bytes do not match its digest.
    package struct RejectedChunk: Sendable, Equatable {
        /// The offset of the chunk's first byte.
        package let start: Int64
        /// The digest of the bytes.
        package let digest: [UInt8]
    }

    private var digester: ChunkDigester
    /// The supplied pages by index, without those before the verified offset.
    private var pages: [Int: [UInt8]] = [:]
    /// The digests of chunks whose page has not been supplied.
    private var waiting: [(chunk: Int, digest: [UInt8])] = []
    /// The offset below which every byte is verified.
    package private(set) var verified: Int64
    /// The first chunk that failed. Bytes are ignored from there on until `restart`.
    package private(set) var rejectedChunk: RejectedChunk?

    /// Creates a verifier that starts at the first byte of a chunk.
    package init(_ layout: ChunkLayout, from start: Int64) {
        digester = ChunkDigester(layout, chunk: layout.chunk(at: start))
        verified = start
    }

    package var layout: ChunkLayout { digester.layout }

    /// Whether the page was supplied or is no longer needed.
    package func has(page: Int) -> Bool { pages[page] != nil || page < layout.page(of: layout.chunk(at: verified)) }

    /// The index of the page with the first unverified chunk; nil if all are verified.
    package var neededPage: Int? { verified < layout.size ? layout.page(of: layout.chunk(at: verified)) : nil }

    /// Adds bytes. Bytes after a rejected chunk are ignored.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard rejectedChunk == nil else { return }
        var finished: [(chunk: Int, digest: [UInt8])] = []
        digester.update(bytes) { finished.append(($0, $1)) }
        waiting += finished
        if !finished.isEmpty { compare() }
    }

    /// Supplies the concatenated digests of a page.
    package mutating func supply(_ digests: [UInt8], ofPage page: Int) {
        pages[page] = digests
        compare()
    }

    /// Restarts at the first byte of the rejected chunk.
    package mutating func restart() {
        guard let rejectedChunk else { return }
        digester = ChunkDigester(layout, chunk: layout.chunk(at: rejectedChunk.start))
        waiting = []
        self.rejectedChunk = nil
    }

    private mutating func compare() {
        var compared = 0
        for (chunk, digest) in waiting {
            guard let expected = expectedDigest(of: chunk) else { break }
            guard digest[...] == expected else {
                rejectedChunk = RejectedChunk(start: layout.start(of: chunk), digest: digest)
                waiting = []
                return
            }
            verified = layout.end(of: chunk)
            compared += 1
        }
        waiting.removeFirst(compared)
        if let needed = neededPage { pages = pages.filter { $0.key >= needed } }
    }

    private func expectedDigest(of chunk: Int) -> ArraySlice<UInt8>? {
        let page = layout.page(of: chunk)
        let length = layout.algorithm.byteCount
        let first = (chunk - layout.chunks(of: page).lowerBound) * length
        guard let digests = pages[page], first + length <= digests.count else { return nil }
        return digests[first..<first + length]
    }
}

/// Computes the digest of each chunk of a byte stream.
struct ChunkDigester: Sendable {
    let layout: ChunkLayout
    /// The offset of the next byte.
    private(set) var position: Int64
    private var state: DigestState

    /// Creates a digester that starts at the first byte of a chunk.
    init(_ layout: ChunkLayout, chunk: Int = 0) {
        self.layout = layout
        position = layout.start(of: chunk)
        state = DigestState(layout.algorithm)
    }

    /// Creates a digester that continues in the middle of a chunk.
    init(_ layout: ChunkLayout, position: Int64, state: DigestState) {
        self.layout = layout
        self.position = position
        self.state = state
    }

    /// Adds bytes, and calls `finished` with the digest of each completed chunk. Bytes after the last chunk are ignored.
    mutating func update(_ bytes: UnsafeRawBufferPointer, finished: (_ chunk: Int, _ digest: [UInt8]) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty, position < layout.size {
            let chunk = layout.chunk(at: position)
            let end = layout.end(of: chunk)
            let count = Int(min(Int64(rest.count), end - position))
            state.update(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            position += Int64(count)
            guard position == end else { continue }
            finished(chunk, state.finished().bytes)
            state = DigestState(layout.algorithm)
        }
    }

    /// The state of the incomplete chunk.
    var snapshot: [UInt8] { state.bytes }
}
