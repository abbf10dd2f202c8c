import ImageModel
import Integrity
import Testing

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
