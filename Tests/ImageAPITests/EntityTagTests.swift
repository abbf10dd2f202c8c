import Testing

@testable import ImageAPI

@Suite struct EntityTagTests {
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
}
