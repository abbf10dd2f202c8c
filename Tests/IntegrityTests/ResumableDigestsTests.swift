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
