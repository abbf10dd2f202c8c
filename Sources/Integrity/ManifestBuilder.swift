import CCrypto
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

extension Manifest {
    /// The sealed pages of the manifest.
    package var pages: [ManifestPage] {
        (0..<layout.pageCount).map { ManifestPage(sealing: digests(ofPage: $0), number: $0) }
    }
}

extension ManifestPage {
    /// Creates a page and computes its seal.
    package init(sealing digests: [UInt8], number: Int) {
        self.init(number: number, digests: digests, seal: Self.seal(of: digests))
    }

    /// Whether the page fits the layout and matches its seal. This detects corruption of the catalog's own storage.
    package func isIntact(in layout: ChunkLayout) -> Bool {
        (0..<layout.pageCount).contains(number)
            && digests.count == layout.chunks(of: number).count * layout.algorithm.byteCount
            && seal == Self.seal(of: digests)
    }

    private static func seal(of digests: [UInt8]) -> [UInt8] {
        let stream = DigestStream(.sha256)
        digests.withUnsafeBytes { stream.update($0) }
        return stream.finish().bytes
    }
}

/// Message authentication codes (HMAC, RFC 2104).
package enum KeyedDigest {
    /// Computes the code of a message.
    /// - Parameters:
    ///   - algorithm: the underlying digest.
    ///   - key: a key of any length; not kept.
    /// - Returns: `algorithm.byteCount` bytes.
    package static func compute(_ algorithm: DigestAlgorithm, over message: String, key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: algorithm.byteCount)
        let bytes = Array(message.utf8)
        let result = HMAC(implementation(of: algorithm), key, Int32(key.count), bytes, bytes.count, &code, nil)
        precondition(result != nil, "this OpenSSL does not offer HMAC with \(algorithm)")
        return code
    }

    /// The code of a message as lower-case hexadecimal text.
    package static func hex(_ algorithm: DigestAlgorithm, over message: String, key: [UInt8]) -> String {
        compute(algorithm, over: message, key: key)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func implementation(of algorithm: DigestAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .sha256: EVP_sha256()
        case .sha512: EVP_sha512()
        case .sha1: EVP_sha1()
        case .md5: EVP_md5()
        }
    }
}
