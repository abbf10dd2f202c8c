import ImageModel
import Testing

@Suite struct DigestTests {
    @Test("A hexadecimal digest is read in either case and written in lower case")
    func hexadecimalTextIsWrittenInLowerCase() throws {
        let text = "00FFaB" + String(repeating: "12", count: 29)
        let digest = try Digest(.sha256, hex: text)
        #expect(digest.hex == text.lowercased())
        #expect(digest.description == "sha256:" + text.lowercased())
        #expect(digest.bytes.prefix(3) == [0, 255, 0xAB])
    }

    @Test("A digest with another length than its algorithm's is rejected", arguments: DigestAlgorithm.allCases)
    func aDigestOfAnotherLengthIsRejected(algorithm: DigestAlgorithm) throws {
        let right = String(repeating: "0", count: algorithm.byteCount * 2)
        _ = try Digest(algorithm, hex: right)
        for wrong in ["", "0", String(right.dropLast()), right + "00"] {
            let error = #expect(throws: InvalidDigest.self) { try Digest(algorithm, hex: wrong) }
            #expect(error?.problem == .length(found: wrong.count))
        }
        #expect(throws: InvalidDigest.self) { try Digest(algorithm, bytes: [0]) }
    }

    @Test("A character that is not a hexadecimal digit is rejected", arguments: ["g", " ", "é", "-", "\0"])
    func aCharacterThatIsNoHexadecimalDigitIsRejected(character: String) {
        let text = String(repeating: "0", count: 32 - character.utf8.count) + character
        let error = #expect(throws: InvalidDigest.self) { try Digest(.md5, hex: text) }
        #expect(error?.problem == .notHexadecimal)
    }

    @Test("The identity digest is sha256, else sha512, else sha1, else md5")
    func thePreferredDigestIsTheIdentity() throws {
        let md5 = try Digest(.md5, hex: String(repeating: "1", count: 32))
        let sha1 = try Digest(.sha1, hex: String(repeating: "2", count: 40))
        let sha512 = try Digest(.sha512, hex: String(repeating: "3", count: 128))
        let sha256 = try Digest(.sha256, hex: String(repeating: "4", count: 64))
        #expect(DigestSet().identity == nil)
        #expect(DigestSet([md5]).identity == md5)
        #expect(DigestSet([md5, sha1]).identity == sha1)
        #expect(DigestSet([md5, sha1, sha512]).identity == sha512)
        #expect(DigestSet([md5, sha1, sha512, sha256]).identity == sha256)
    }
}
