package import ImageModel

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
