import Foundation
import ImageModel
import Testing

@testable import Access

/// Tokens whose digests differ in one byte, at each position.
@Suite struct TokenComparisonTests {
    private static let token = "a token of this test"

    /// The digest of the token with one bit changed, as a tokens file has it.
    private static func changed(at place: Int) throws -> Substring {
        let text = TokenDigest(of: token).description
        var bytes = try Digest(.sha256, hex: String(text.dropFirst("sha256:".count))).bytes
        bytes[place] ^= 0x10
        return Substring(try Digest(.sha256, bytes: bytes).description)
    }

    @Test("A token does not match an entry whose digest differs in any one byte", arguments: 0..<32)
    func entries(place: Int) throws {
        let digest = TokenDigest(of: Self.token)
        let other = try #require(TokenDigest(try Self.changed(at: place)))
        #expect(!digest.matches(other) && !other.matches(digest) && digest != other)
        #expect(digest.matches(TokenDigest(of: Self.token)))
        let list = try TokenList("\(other) somebody - admin\n", named: "tokens")
        #expect(throws: AuthenticationRefusal.unknown) { try list.caller(of: Self.token, at: .now) }
        let both = try TokenList("\(other) somebody - admin\n\(digest) holder - reader\n", named: "tokens")
        #expect(try both.caller(of: Self.token, at: .now).user == "holder")
        let reversed = try TokenList("\(digest) holder - reader\n\(other) somebody - admin\n", named: "tokens")
        #expect(try reversed.caller(of: Self.token, at: .now).user == "holder")
    }

    @Test("Tokens that differ in one character are different tokens")
    func tokens() throws {
        let list = try TokenList("\(TokenDigest(of: Self.token)) holder - reader\n", named: "tokens")
        for place in Self.token.indices {
            var other = Self.token
            other.replaceSubrange(place...place, with: "#")
            #expect(throws: AuthenticationRefusal.unknown) { try list.caller(of: other, at: .now) }
        }
        for other in [Self.token + " ", " " + Self.token, Self.token + "\0", String(Self.token.dropLast()), ""] {
            #expect(throws: AuthenticationRefusal.unknown) { try list.caller(of: other, at: .now) }
        }
    }
}
