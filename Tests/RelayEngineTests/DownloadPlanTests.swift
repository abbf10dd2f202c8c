import Foundation
import ImageModel
import LocationSelection
import RelayEngine
import Testing

@Suite struct DownloadPlanTests {
    private static let size: Int64 = 1000
    private static let part = ByteRange(first: 10, last: 19)
    private let representation: Representation

    init() throws {
        representation = Representation(
            image: ImageID(), format: Format(disk: .raw, container: .bare), size: Self.size,
            identity: try Digest(.sha256, hex: String(repeating: "a", count: 64)))
    }

    private func location(isVerified: Bool, status: LocationStatus = .active) throws -> Location {
        Location(
            id: LocationID(), image: representation.image, backend: BackendID("b"), path: "x", url: "http://a/x",
            state: LocationState(status), format: representation.format, size: Self.size,
            digests: DigestSet([representation.identity]), validator: Validator("v"), verifiedAt: isVerified ? .now : nil,
            createdAt: .now)
    }

    private func plan(
        _ range: ByteRange?, hasManifest: Bool = false, isHeld: Bool = false, isVerified: Bool = false
    ) throws -> DownloadPlan {
        DownloadPlan(
            of: representation, range: range, hasManifest: hasManifest, isHeld: isHeld,
            locations: [try location(isVerified: isVerified)])
    }

    @Test("The whole needs any location", arguments: [false, true], [false, true])
    func whole(hasManifest: Bool, isHeld: Bool) throws {
        let plan = try plan(nil, hasManifest: hasManifest, isHeld: isHeld)
        #expect(plan.range == nil && plan.count == Self.size && plan.requirement == .whole && !plan.isRangeIgnored)
        #expect(plan.servesRanges == (hasManifest && !isHeld))
    }

    @Test("With a manifest a range needs any location")
    func manifest() throws {
        let plan = try plan(Self.part, hasManifest: true)
        #expect(plan.range == Self.part && plan.count == 10 && plan.requirement == .whole && plan.servesRanges)
    }

    @Test("Without a readable manifest a range needs a location that was read in full")
    func readLocation() throws {
        let plan = try plan(Self.part, isVerified: true)
        #expect(plan.range == Self.part && plan.count == 10 && plan.requirement == .range && plan.servesRanges)
    }

    @Test("A range that nothing verifies is ignored, and the whole is sent")
    func unverified() throws {
        let plan = try plan(Self.part)
        #expect(plan.range == nil && plan.count == Self.size && plan.requirement == .whole)
        #expect(plan.isRangeIgnored && !plan.servesRanges && plan.rangeRequirement == .range)
    }

    @Test("A location that does not serve verifies no range")
    func inactive() throws {
        let plan = DownloadPlan(
            of: representation, range: Self.part, hasManifest: false, isHeld: false,
            locations: [try location(isVerified: true, status: .quarantined)])
        #expect(!plan.servesRanges && plan.isRangeIgnored)
    }

    @Test("While ranges are held back the whole is sent, manifest or not", arguments: [false, true])
    func held(hasManifest: Bool) throws {
        let plan = try plan(Self.part, hasManifest: hasManifest, isHeld: true, isVerified: true)
        #expect(plan.range == nil && plan.requirement == .whole && plan.isRangeIgnored && !plan.servesRanges)
    }

    @Test("A range of all bytes is answered as a range, and needs any location")
    func allBytes() throws {
        let plan = try plan(ByteRange(whole: Self.size), isVerified: true)
        #expect(plan.range?.count == Self.size && plan.requirement == .whole && plan.isWhole(of: representation))
    }

    @Test("When no location can serve the range, the whole is sent instead")
    func instead() throws {
        let plan = try plan(Self.part, isVerified: true).wholeInstead(of: representation)
        #expect(plan.range == nil && plan.count == Self.size && plan.requirement == .whole && plan.isRangeIgnored)
        #expect(plan.isWhole(of: representation))
    }
}
