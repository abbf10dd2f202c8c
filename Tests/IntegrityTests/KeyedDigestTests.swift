import ImageModel
import Integrity
import Testing

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
