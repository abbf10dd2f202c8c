/// An algorithm and the bytes that it computed over a content.
package struct Digest: Sendable, Hashable {
    /// The algorithm that made `bytes`.
    package let algorithm: DigestAlgorithm
    /// The digest itself; always `algorithm.byteCount` bytes.
    package let bytes: [UInt8]

    /// A digest of raw bytes.
    /// - Throws: `InvalidDigest` when the length is not the algorithm's.
    package init(_ algorithm: DigestAlgorithm, bytes: [UInt8]) throws(InvalidDigest) {
        guard bytes.count == algorithm.byteCount else {
            throw InvalidDigest(algorithm: algorithm, problem: .length(found: bytes.count * 2))
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// A digest of hexadecimal text, in either case.
    /// - Throws: `InvalidDigest` when the length is not the algorithm's or a character is no hexadecimal digit.
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
    /// `sha256:9f86…`, whole.
    package var description: String { "\(algorithm.rawValue):\(hex)" }
}

/// A text that is no digest of the algorithm it claims.
package struct InvalidDigest: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    package enum Problem: Sendable, Equatable {
        /// Another number of hexadecimal digits than the algorithm has.
        case length(found: Int)
        /// A character outside 0-9, a-f.
        case notHexadecimal
    }

    /// The algorithm that was claimed.
    package let algorithm: DigestAlgorithm
    /// What is wrong.
    package let problem: Problem

    /// One sentence for a person.
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
