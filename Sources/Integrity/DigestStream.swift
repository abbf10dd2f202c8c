import CCrypto
package import ImageModel

/// Computes a digest over a byte stream (OpenSSL EVP).
///
/// A stream has one owner at a time; it is moved, never shared.
package struct DigestStream: ~Copyable, @unchecked Sendable {  // nothing else refers to its context
    package let algorithm: DigestAlgorithm
    private let context: OpaquePointer

    package init(_ algorithm: DigestAlgorithm) {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("OpenSSL has no memory for a digest") }
        self.algorithm = algorithm
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Returns the digest of all bytes since the start, and starts over.
    package func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: algorithm.byteCount)
        EVP_DigestFinal_ex(context, &bytes, nil)
        start()
        guard let digest = try? Digest(algorithm, bytes: bytes) else {
            preconditionFailure("OpenSSL returned a \(algorithm) digest of an unexpected length")
        }
        return digest
    }

    /// Discards all bytes and starts over.
    package func start() {
        let started = EVP_DigestInit_ex2(context, Self.implementation(of: algorithm), nil)
        precondition(started == 1, "this OpenSSL does not offer \(algorithm)")
    }

    /// The fetched implementation. It is fetched once, since OpenSSL 3 otherwise searches its providers at each start.
    private static func implementation(of algorithm: DigestAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .sha256: Implementations.sha256.pointer
        case .sha512: Implementations.sha512.pointer
        case .sha1: Implementations.sha1.pointer
        case .md5: Implementations.md5.pointer
        }
    }
}

private enum Implementations {
    /// `@unchecked Sendable`: an EVP_MD is reference-counted and read-only once fetched.
    struct Fetched: @unchecked Sendable {
        let pointer: OpaquePointer?
        init(_ name: String) { pointer = EVP_MD_fetch(nil, name, nil) }
    }

    static let sha256 = Fetched("SHA256")
    static let sha512 = Fetched("SHA512")
    static let sha1 = Fetched("SHA1")
    static let md5 = Fetched("MD5")
}

/// Computes several digests over one byte stream. Its state can be saved to continue after a restart.
///
/// A value has one owner at a time; copies are independent.
package struct ResumableDigests: Sendable {
    private var states: [DigestState]

    package init(_ algorithms: Set<DigestAlgorithm>) {
        states = DigestAlgorithm.byPreference.filter(algorithms.contains).map(DigestState.init)
    }

    package var algorithms: [DigestAlgorithm] { states.map(\.algorithm) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        for index in states.indices { states[index].update(bytes) }
    }

    /// The digests of all bytes so far; more may follow.
    package func finished() -> DigestSet { DigestSet(states.map { $0.finished() }) }
}

extension ResumableDigests {
    /// The state as bytes, valid only for this build of Baton on this kind of machine.
    package var snapshot: [UInt8] {
        states.flatMap { state in
            let bytes = state.bytes
            return [state.algorithm.snapshotTag, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
        }
    }

    /// Restores a snapshot; nil if it comes from another build or is damaged.
    package init?(snapshot: [UInt8]) {
        var rest = snapshot[...]
        states = []
        while let tag = rest.popFirst() {
            guard let algorithm = DigestAlgorithm.allCases.first(where: { $0.snapshotTag == tag }),
                let high = rest.popFirst(), let low = rest.popFirst()
            else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard rest.count >= count, let state = DigestState(algorithm, bytes: Array(rest.prefix(count))) else { return nil }
            states.append(state)
            rest = rest.dropFirst(count)
        }
    }
}

extension DigestAlgorithm {
    fileprivate var snapshotTag: UInt8 {
        switch self {
        case .sha256: 1
        case .sha512: 2
        case .sha1: 3
        case .md5: 4
        }
    }
}
