import ImageModel
import Testing

@testable import ImageAPI

/// Entity tags in conditional requests.
@Suite struct EntityTagTests {
    private static let tag = "\"sha256-0123456789abcdef\""

    @Test("A tag that differs in one character is another tag, whichever character it is")
    func oneCharacter() {
        #expect(EntityTag.matches(Self.tag, Self.tag) && EntityTag.permitsRange(Self.tag, Self.tag))
        for place in Self.tag.indices {
            var other = Self.tag
            other.replaceSubrange(place...place, with: "x")
            #expect(!EntityTag.matches(other, Self.tag), "\(other)")
            #expect(!EntityTag.matches("\"a\", \(other), W/\(other)", Self.tag), "\(other)")
            #expect(!EntityTag.permitsRange(other, Self.tag), "\(other)")
            #expect(EntityTag.matches("\(other), \(Self.tag)", Self.tag))
        }
        for other in ["", "\"\"", String(Self.tag.dropLast()), String(Self.tag.dropFirst()), Self.tag + "x"] {
            #expect(!EntityTag.matches(other, Self.tag) && !EntityTag.permitsRange(other, Self.tag), "\(other)")
        }
    }
}
