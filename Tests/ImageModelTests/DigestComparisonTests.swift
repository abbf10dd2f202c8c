import ImageModel
import Testing

/// Values that differ in one byte, at each position.
@Suite struct DigestComparisonTests {
    @Test("Digests that differ in any one byte are unequal", arguments: DigestAlgorithm.allCases)
    func digests(algorithm: DigestAlgorithm) throws {
        let bytes = (0..<algorithm.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let digest = try Digest(algorithm, bytes: bytes)
        #expect(try Digest(algorithm, bytes: bytes) == digest)
        #expect(try Digest(algorithm, hex: digest.hex.uppercased()) == digest)
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            let other = try Digest(algorithm, bytes: changed)
            #expect(other != digest && other.hex != digest.hex, "byte \(place)")
            #expect(!Set([digest]).contains(other) && DigestSet([digest]) != DigestSet([other]), "byte \(place)")
        }
    }

    @Test("Digests of different algorithms are unequal, even if their leading bytes are equal")
    func algorithms() throws {
        let bytes = [UInt8](repeating: 7, count: 64)
        let all = try DigestAlgorithm.allCases.map { try Digest($0, bytes: Array(bytes.prefix($0.byteCount))) }
        #expect(Set(all).count == all.count)
    }

    @Test("Validators that differ in any one character are unequal")
    func validators() {
        let text = "\"0123456789abcdef-\u{E9}\""
        for (place, scalar) in text.unicodeScalars.enumerated() {
            var scalars = Array(text.unicodeScalars)
            scalars[place] = Unicode.Scalar(scalar.value ^ 1) ?? scalar
            let other = Validator(String(String.UnicodeScalarView(scalars)))
            #expect(other != Validator(text) && !Set([Validator(text)]).contains(other), "scalar \(place)")
        }
        // Equal as text, but other bytes to a server.
        #expect(Validator("\"\u{E9}\"") != Validator("\"e\u{301}\""))
        #expect(Validator(text) == Validator(text))
    }
}
