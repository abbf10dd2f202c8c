import Access
import Testing

@Suite struct AttachRuleTests {
    static func caller(_ roles: Caller.Role...) -> Caller { Caller(user: "u", project: "p", roles: Set(roles)) }
    static let uploads = AttachRule(role: .member, prefix: "uploads/")

    @Test("Without a rule only an admin may attach")
    func withoutARuleOnlyAnAdminMayAttach() {
        #expect(AttachRule.allows(Self.caller(.admin), path: "anything", rule: nil))
        for role in Caller.Role.allCases where role != .admin {
            #expect(!AttachRule.allows(Self.caller(role), path: "uploads/x", rule: nil))
        }
    }

    @Test("A rule admits its role and the roles that contain it")
    func aRuleAdmitsItsRoleAndTheRolesThatContainIt() {
        #expect(AttachRule.allows(Self.caller(.member), path: "uploads/x", rule: Self.uploads))
        #expect(AttachRule.allows(Self.caller(.admin), path: "uploads/x", rule: Self.uploads))
        #expect(!AttachRule.allows(Self.caller(.reader), path: "uploads/x", rule: Self.uploads))
        #expect(!AttachRule.allows(Self.caller(.trusted), path: "uploads/x", rule: Self.uploads))
        #expect(!AttachRule.allows(Self.caller(), path: "uploads/x", rule: Self.uploads))
    }

    @Test(
        "Only an admin may attach a path outside the prefix",
        arguments: [
            "uploads", "uploads-of-others/x", "other/uploads/x", "uploads/../secret", "uploads/./x", "../uploads/x", "",
            "/uploads/x", "uploads//x", "uploads/",
        ])
    func onlyAnAdminMayAttachAPathOutsideThePrefix(path: String) {
        #expect(!AttachRule.allows(Self.caller(.member), path: path, rule: Self.uploads))
        #expect(AttachRule.allows(Self.caller(.admin), path: path, rule: Self.uploads))
    }

    @Test("The prefix is compared by whole segments", arguments: ["a/b", "/a/b/", "a/b/"])
    func thePrefixIsComparedByWholeSegments(prefix: String) {
        let rule = AttachRule(role: .member, prefix: prefix)
        #expect(AttachRule.allows(Self.caller(.member), path: "a/b/c", rule: rule))
        #expect(!AttachRule.allows(Self.caller(.member), path: "a/bc", rule: rule))
        #expect(!AttachRule.allows(Self.caller(.member), path: "a/c", rule: rule))
    }

    @Test("An empty prefix covers the whole backend")
    func anEmptyPrefixCoversTheWholeBackend() {
        let rule = AttachRule(role: .member, prefix: "")
        #expect(AttachRule.allows(Self.caller(.member), path: "x", rule: rule))
    }

    @Test("Every role contains itself, and admin contains every role")
    func everyRoleContainsItselfAndAdminContainsAll() {
        for role in Caller.Role.allCases {
            #expect(role.contained.contains(role))
            #expect(Caller.Role.admin.contained.contains(role))
            #expect(role == .admin || !role.contained.contains(.admin))
        }
    }

    @Test(
        "A combining mark after a slash does not hide a path that leaves the prefix",
        arguments: [
            "uploads/../\u{301}x", "uploads/\u{301}a/../\u{301}x", "uploads/./\u{301}x", "uploads//\u{301}x",
            "uploads\u{301}/x",
        ])
    func marksHideNothing(path: String) {
        #expect(!AttachRule.allows(Self.caller(.member), path: path, rule: Self.uploads))
    }

    @Test("The prefix is compared byte by byte")
    func otherSpellings() {
        let rule = AttachRule(role: .member, prefix: "\u{e9}/")
        #expect(AttachRule.allows(Self.caller(.member), path: "\u{e9}/\u{301}x", rule: rule))
        #expect(!AttachRule.allows(Self.caller(.member), path: "e\u{301}/x", rule: rule))
    }
}
