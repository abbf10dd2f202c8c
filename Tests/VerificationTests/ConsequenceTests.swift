import BackendKit
import Downloads
import FaultyOrigin
import Foundation
import ImageCatalog
import ImageModel
import Integrity
import Testing
import VerificationFixture

@testable import Verification

/// The consequences of a verification for the location, for its backend, and for a manifest that it refutes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConsequenceTests {
    private static let content = PatternedContent(size: 300_007, seed: 191)
    private static let other = PatternedContent(size: 300_007, seed: 192)
    private static let throttled = Behaviour.status(429, headers: [("Retry-After", "3600")])

    @Test("The same object under another URL does not corroborate a location")
    func theSameObjectIsNoDuplicate() async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.other)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        _ = try await fixture.catalog.addLocation(
            NewLocation(
                image: image, backend: location.backend, path: location.path, url: "\(location.url)#2",
                format: location.format, size: location.size, digests: location.digests), id: LocationID(), at: .now,
            actor: "test", reason: "registered")
        #expect(try await fixture.verify(location) == .quarantined)
    }

    @Test("A read that its backend throttles is postponed and is no failed read")
    func noRoom() async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.content) { _ in Self.throttled }])
        let location = try await fixture.location(in: "a", of: fixture.image(), declaring: Self.content)
        let before = Date.now
        guard case .unreadable(let failure) = try await fixture.verify(location) else {
            return #expect(Bool(false), "a server that is busy was read")
        }
        #expect(failure.failureClass == .throttled)
        let after = try #require(try await fixture.catalog.location(location.id))
        #expect(after.failedReads == 0 && after.state.status == .active)
        #expect(try #require(after.nextReadAt).timeIntervalSince(before) >= 3599)
    }

    @Test("The quarantine limit applies to suspects, which are out of service while they are read")
    func suspectsAndTheLimit() async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.other), "b": FaultyOrigin(Self.content)])
        var results: [Verifier.Result] = []
        var statuses: [LocationStatus?] = []
        for _ in 0..<4 {
            let image = try await fixture.image()
            let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
            try await fixture.location(in: "b", of: image, declaring: Self.content)
            try await fixture.catalog.recordDigestMismatch(
                of: image, format: VerifierFixture.format, contributors: [location.id], at: .now, actor: "test",
                reason: "played")
            results.append(try await fixture.verify(location))
            statuses.append(try await fixture.status(of: location))
            let events = try await fixture.catalog.history(of: location.id).map(\.event)
            #expect(events.contains(.suspect), "it was read in service")
        }
        #expect(results == [.quarantined, .quarantined, .quarantined, .undecided])
        #expect(statuses == [.quarantined, .quarantined, .quarantined, .active])
    }

    @Test("A manifest that a suspect's full read refutes is replaced by the right one")
    func aRefutedManifest() async throws {
        let fixture = try VerifierFixture(["a": FaultyOrigin(Self.content)])
        let image = try await fixture.image()
        let location = try await fixture.location(in: "a", of: image, declaring: Self.content)
        #expect(try await fixture.verify(location) == .matched)
        let resolution = try await fixture.catalog.resolve(image, format: RequestedFormat())
        let representation = try #require(resolution?.representation)
        let first = try #require(resolution?.manifest)
        let right = try #require(try await fixture.catalog.manifestPage(0, of: first))
        // Another manifest takes its place, whose second chunk has another digest.
        var digests = right.digests
        digests[first.layout.algorithm.byteCount] ^= 1
        let wrong = ManifestPage(number: 0, digests: digests, seal: right.seal)
        #expect(try await fixture.catalog.forgetManifest(first))
        #expect(try await fixture.catalog.addManifest(first.layout, pages: [wrong], of: representation, at: .now))
        try await fixture.catalog.recordRejectedChunk(by: [location.id], at: .now, actor: "test", reason: "played")
        #expect(try await fixture.verify(location) == .matched)
        let last = try #require(try await fixture.catalog.resolve(image, format: RequestedFormat())?.manifest)
        #expect(try await fixture.catalog.manifestPage(0, of: last) == right)
    }
}
