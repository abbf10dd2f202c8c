import ImageModel
import Testing

@testable import HTTPServing

/// Entity tags in conditional requests.
@Suite struct EntityTagTests {
    private static let tag = "\"sha256-0123456789abcdef\""

    @Test("Entity tags that differ in any one character are different")
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

    @Test(
        "If-Match compares strongly",
        arguments: [
            ("\"a\"", true), ("*", true), (" * ", true), ("\"b\", \"a\"", true), ("\"b\"", false), ("W/\"a\"", false),
            ("a", false),
            ("\"A\"", false), ("", false),
        ])
    func strong(field: String, matches: Bool) {
        #expect(EntityTag.matchesStrongly(field, "\"a\"") == matches)
    }

    @Test("If-None-Match compares weakly", arguments: [("\"a\"", true), ("W/\"a\"", true), ("*", true), ("\"b\"", false)])
    func weak(field: String, matches: Bool) {
        #expect(EntityTag.matches(field, "\"a\"") == matches)
    }

    @Test(
        "If-Range compares strongly and takes a single tag",
        arguments: [
            (nil, true), ("\"a\"", true), ("W/\"a\"", false), ("\"b\", \"a\"", false), ("*", false), ("", false),
            ("Sat, 28 Nov 2026 03:00:00 GMT", false),
        ] as [(String?, Bool)])
    func range(field: String?, isPermitted: Bool) {
        #expect(EntityTag.permitsRange(field, "\"a\"") == isPermitted)
    }
}
