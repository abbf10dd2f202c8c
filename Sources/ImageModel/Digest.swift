/// A digest of a content, with its algorithm.
package struct Digest: Sendable, Hashable {
    package let algorithm: DigestAlgorithm
    /// The digest's bytes; always `algorithm.byteCount`.
    package let bytes: [UInt8]

    /// Creates a digest from raw bytes.
    /// - Throws: `InvalidDigest` if the length is not the algorithm's.
    package init(_ algorithm: DigestAlgorithm, bytes: [UInt8]) throws(InvalidDigest) {
        guard bytes.count == algorithm.byteCount else {
            throw InvalidDigest(algorithm: algorithm, problem: .length(found: bytes.count * 2))
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Parses a digest from hexadecimal text, in either case.
    /// - Throws: `InvalidDigest` if the length is not the algorithm's or a character is not a hexadecimal digit.
    package init(_ algorithm: DigestAlgorithm, hex: String) throws(InvalidDigest) {
        let digits = Array(hex.utf8)
        guard digits.count == algorithm.byteCount * 2 else {
            throw InvalidDigest(algorithm: algorithm, problem: .length(found: digits.count))
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(algorithm.byteCount)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else {
                throw InvalidDigest(algorithm: algorithm, problem: .notHexadecimal)
            }
            bytes.append(high << 4 | low)
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The digest as lower-case hexadecimal text.
    package var hex: String {
        String(decoding: bytes.flatMap { [hexDigit($0 >> 4), hexDigit($0 & 15)] }, as: UTF8.self)
    }
}

extension Digest: CustomStringConvertible {
    /// The algorithm and the whole digest, `sha256:9f86…`.
    package var description: String { "\(algorithm.rawValue):\(hex)" }
}

/// A text that is not a digest of the stated algorithm.
package struct InvalidDigest: Error, Sendable, Equatable, CustomStringConvertible {
    /// The defect of the text.
    package enum Problem: Sendable, Equatable {
        /// The number of hexadecimal digits is not the algorithm's.
        case length(found: Int)
        /// A character is not a hexadecimal digit.
        case notHexadecimal
    }

    /// The stated algorithm.
    package let algorithm: DigestAlgorithm
    package let problem: Problem

    package var description: String {
        switch problem {
        case .length(let found):
            "a \(algorithm.rawValue) digest has \(algorithm.byteCount * 2) hexadecimal digits, this one has \(found)"
        case .notHexadecimal:
            "a \(algorithm.rawValue) digest is written in hexadecimal digits only"
        }
    }
}

private func hexValue(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// An algorithm of digests that verify an image's bytes.
package enum DigestAlgorithm: String, Sendable, Hashable, Codable, CaseIterable {
    case sha256, sha512, sha1, md5

    /// The length of a digest in bytes.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        case .sha1: 20
        case .md5: 16
        }
    }

    /// The order in which a representation picks its identity digest, the best first.
    package static let byPreference: [DigestAlgorithm] = [.sha256, .sha512, .sha1, .md5]
}

/// The known digests of one content: at most one per algorithm.
package struct DigestSet: Sendable, Hashable {
    private var byAlgorithm: [DigestAlgorithm: Digest] = [:]

    /// Creates a set; of two digests with one algorithm the later one is kept.
    package init(_ digests: [Digest] = []) {
        for digest in digests { byAlgorithm[digest.algorithm] = digest }
    }

    package subscript(algorithm: DigestAlgorithm) -> Digest? {
        get { byAlgorithm[algorithm] }
        set { byAlgorithm[algorithm] = newValue }
    }

    package var isEmpty: Bool { byAlgorithm.isEmpty }

    /// All digests in order of preference.
    package var all: [Digest] { DigestAlgorithm.byPreference.compactMap { byAlgorithm[$0] } }

    /// The digest that identifies the content: sha256 if known, else sha512, else sha1, else md5.
    package var identity: Digest? { all.first }
}
