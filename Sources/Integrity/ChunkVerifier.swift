package import ImageModel

/// Verifies chunk after chunk as the bytes flow by, against the pages of a manifest as far as they are there.
package struct ChunkVerifier: Sendable {
    /// A chunk whose bytes do not have its digest.
    package struct Rejection: Sendable, Equatable {
        /// The offset of its first byte.
        package let start: Int64
        /// The digest that the bytes have.
        package let digest: [UInt8]
    }

    private var digester: ChunkDigester
    /// Pages that were supplied, by number; those behind the verified bytes are forgotten.
    private var pages: [Int: [UInt8]] = [:]
    /// Digests of chunks whose page is not there yet.
    private var waiting: [(chunk: Int, digest: [UInt8])] = []
    /// Every byte taken in below this offset is verified.
    package private(set) var verified: Int64
    /// The first chunk that failed; nothing behind it is taken in before `restart`.
    package private(set) var rejection: Rejection?

    /// A verifier whose first byte is that of a chunk.
    package init(_ layout: ChunkLayout, from start: Int64) {
        digester = ChunkDigester(layout, chunk: layout.chunk(at: start))
        verified = start
    }

    /// How the whole is cut.
    package var layout: ChunkLayout { digester.layout }

    /// Whether the page is there, or was and is not needed any more.
    package func has(page: Int) -> Bool { pages[page] != nil || page < layout.page(of: layout.chunk(at: verified)) }

    /// The page that lists the first chunk not verified yet; nil when all are verified.
    package var neededPage: Int? { verified < layout.size ? layout.page(of: layout.chunk(at: verified)) : nil }

    /// Takes the next bytes in. What follows a rejected chunk is ignored.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard rejection == nil else { return }
        var finished: [(chunk: Int, digest: [UInt8])] = []
        digester.update(bytes) { finished.append(($0, $1)) }
        waiting += finished
        if !finished.isEmpty { compare() }
    }

    /// Takes a page in: its digests, one behind the other.
    package mutating func supply(_ digests: [UInt8], ofPage page: Int) {
        pages[page] = digests
        compare()
    }

    /// Goes on at the rejected chunk's first byte.
    package mutating func restart() {
        guard let rejection else { return }
        digester = ChunkDigester(layout, chunk: layout.chunk(at: rejection.start))
        waiting = []
        self.rejection = nil
    }

    private mutating func compare() {
        var compared = 0
        for (chunk, digest) in waiting {
            guard let expected = expectedDigest(of: chunk) else { break }
            guard digest[...] == expected else {
                rejection = Rejection(start: layout.start(of: chunk), digest: digest)
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
