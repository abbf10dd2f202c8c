import ImageModel
import Testing

@testable import Integrity

/// Digests, seals and codes that differ in one byte, at each position.
@Suite struct ComparisonTests {
    @Test("A chunk is rejected when any one byte of its expected digest differs", arguments: 0..<3)
    func expectedDigests(chunk: Int) throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        let length = content.layout.algorithm.byteCount
        for place in 0..<length {
            var digests = content.digests
            digests[chunk * length + place] ^= 1
            var verifier = ChunkVerifier(content.layout, from: 0)
            verifier.supply(digests, ofPage: 0)
            content.forEach(250) { verifier.update($0) }
            #expect(verifier.rejectedChunk?.start == Int64(chunk * 100), "byte \(place)")
            #expect(verifier.verified == Int64(chunk * 100), "byte \(place)")
        }
    }

    @Test("A chunk is rejected when any one of its bytes differs")
    func bytes() throws {
        let content = try ChunkedContent(size: 100, chunkSize: 100)
        for place in content.bytes.indices {
            var wrong = content
            wrong.bytes[place] ^= 0x80
            var verifier = ChunkVerifier(content.layout, from: 0)
            verifier.supply(content.digests, ofPage: 0)
            wrong.forEach(100) { verifier.update($0) }
            #expect(verifier.rejectedChunk?.start == 0 && verifier.verified == 0, "byte \(place)")
        }
    }

    @Test("A manifest page is damaged when any one byte of it or of its seal differs")
    func seals() throws {
        let content = try ChunkedContent(size: 250, chunkSize: 100)
        let page = ManifestPage(sealing: content.digests, number: 0)
        #expect(page.isIntact(in: content.layout))
        for place in page.digests.indices {
            var digests = page.digests
            digests[place] ^= 1
            #expect(!ManifestPage(number: 0, digests: digests, seal: page.seal).isIntact(in: content.layout), "byte \(place)")
        }
        for place in page.seal.indices {
            var seal = page.seal
            seal[place] ^= 1
            #expect(!ManifestPage(number: 0, digests: page.digests, seal: seal).isIntact(in: content.layout), "byte \(place)")
        }
        for seal in [[], Array(page.seal.dropLast()), page.seal + [0]] {
            #expect(!ManifestPage(number: 0, digests: page.digests, seal: seal).isIntact(in: content.layout))
        }
    }

    @Test("A keyed digest changes with each byte of its key and its message", arguments: DigestAlgorithm.allCases)
    func keyedDigests(algorithm: DigestAlgorithm) {
        let key = Array("a key of 20 letters.".utf8)
        let message = "GET\n1790000000\n/v1/AUTH_test/images/image"
        let code = KeyedDigest.compute(algorithm, over: message, key: key)
        #expect(KeyedDigest.compute(algorithm, over: message, key: key) == code)
        var codes: Set<[UInt8]> = [code]
        for place in key.indices {
            var other = key
            other[place] ^= 1
            codes.insert(KeyedDigest.compute(algorithm, over: message, key: other))
        }
        let letters = Array(message.utf8)
        for place in letters.indices {
            var other = letters
            other[place] ^= 1
            codes.insert(KeyedDigest.compute(algorithm, over: String(decoding: other, as: UTF8.self), key: key))
        }
        #expect(codes.count == 1 + key.count + letters.count)
    }

    @Test("A digest changes with each byte of its input", arguments: DigestAlgorithm.allCases)
    func streams(algorithm: DigestAlgorithm) {
        func digest(_ bytes: [UInt8]) -> Digest {
            let stream = DigestStream(algorithm)
            bytes.withUnsafeBytes { stream.update($0) }
            return stream.finish()
        }
        let bytes = [UInt8](repeating: 3, count: 130)
        var digests: Set<Digest> = [digest(bytes)]
        for place in bytes.indices {
            var other = bytes
            other[place] ^= 1
            digests.insert(digest(other))
        }
        #expect(digests.count == 1 + bytes.count)
    }
}
