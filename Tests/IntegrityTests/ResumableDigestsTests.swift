import ImageModel
import Testing

@testable import Integrity

@Suite struct ResumableDigestsTests {
    private static let bytes = (0..<10_007).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private func digests(of bytes: ArraySlice<UInt8>, from start: ResumableDigests) -> ResumableDigests {
        var digests = start
        Array(bytes).withUnsafeBytes { digests.update($0) }
        return digests
    }

    @Test("Several digests computed together equal those of single streams")
    func severalDigestsAreThoseOfSingleStreams() {
        let all = digests(of: Self.bytes[...], from: ResumableDigests(Set(DigestAlgorithm.allCases))).finished()
        for algorithm in DigestAlgorithm.allCases {
            let stream = DigestStream(algorithm)
            Self.bytes.withUnsafeBytes { stream.update($0) }
            #expect(all[algorithm] == stream.finish())
        }
    }

    @Test("A snapshot continues at any byte")
    func aSnapshotContinuesAtAnyByte() throws {
        let algorithms = Set(DigestAlgorithm.allCases)
        let whole = digests(of: Self.bytes[...], from: ResumableDigests(algorithms)).finished()
        for cut in [0, 1, 63, 64, 65, 127, 128, 4096, 10_006, 10_007] {
            let half = digests(of: Self.bytes[..<cut], from: ResumableDigests(algorithms))
            let resumed = try #require(ResumableDigests(snapshot: half.snapshot))
            #expect(resumed.algorithms == half.algorithms)
            #expect(digests(of: Self.bytes[cut...], from: resumed).finished() == whole, "cut at \(cut)")
        }
    }

    @Test("A damaged snapshot is rejected")
    func aDamagedSnapshotIsRejected() {
        let sound = digests(of: Self.bytes[..<100], from: ResumableDigests([.sha256, .md5])).snapshot
        #expect(ResumableDigests(snapshot: Array(sound.dropLast())) == nil)
        #expect(ResumableDigests(snapshot: sound + [7]) == nil)
        #expect(ResumableDigests(snapshot: [9] + sound) == nil)
        #expect(ResumableDigests(snapshot: sound.map { _ in 0xFF }) == nil)
    }
}

@Suite struct DigestStreamTests {
    /// The vectors of FIPS 180-4 and RFC 1321 for "abc".
    @Test(
        "Known text has its known digest",
        arguments: [
            (DigestAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"), (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func knownTextHasItsKnownDigest(_ algorithm: DigestAlgorithm, _ hex: String) throws {
        let stream = DigestStream(algorithm)
        for piece in ["a", "", "bc"] { Array(piece.utf8).withUnsafeBytes { stream.update($0) } }
        #expect(stream.finish() == (try Digest(algorithm, hex: hex)))
    }

    @Test("A stream starts again after finish and after start")
    func aStreamStartsAgainAfterFinishAndAfterStart() throws {
        let stream = DigestStream(.sha256)
        let empty = stream.finish()
        Array("spoilt".utf8).withUnsafeBytes { stream.update($0) }
        stream.start()
        #expect(stream.finish() == empty)
    }
}

@Suite struct KeyedDigestTests {
    /// RFC 2202 and RFC 4231, the second case of each.
    @Test(
        "The keyed digests of RFC 2202 and RFC 4231 are reproduced",
        arguments: [
            (DigestAlgorithm.md5, "750c783e6ab0b503eaa86e310a5db738"), (.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                .sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
            ),
        ])
    func theStandardsKeyedDigestsAreReproduced(algorithm: DigestAlgorithm, expected: String) throws {
        let code = KeyedDigest.compute(algorithm, over: "what do ya want for nothing?", key: Array("Jefe".utf8))
        #expect(try Digest(algorithm, bytes: code).hex == expected)
    }

    @Test("The key and the message may be empty")
    func theKeyAndTheMessageMayBeEmpty() throws {
        let code = KeyedDigest.compute(.sha256, over: "", key: [])
        let expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        #expect(try Digest(.sha256, bytes: code).hex == expected)
    }
}
