import Access
import Foundation
import ImageModel
import Testing

/// Which caller may do what with which image. Each row of the table is a caller and an image; each letter a permission.
@Suite struct ImageAccessTests {
    /// One caller before one image.
    struct Case: Sendable, CustomTestStringConvertible {
        let caller: Caller
        let owner: String?
        let visibility: Image.Visibility
        let isDeactivated: Bool
        let membership: Member.Status?

        var access: ImageAccess {
            let image = Image(
                id: ImageID(), status: isDeactivated ? .deactivated : .active, visibility: visibility, owner: owner,
                createdAt: .distantPast, updatedAt: .distantPast)
            return ImageAccess(caller, to: image, membership: membership)
        }

        var testDescription: String {
            let roles = caller.roles.map(\.rawValue).sorted().joined(separator: "+")
            return "\(caller.project ?? "nobody") (\(roles)) before \(visibility) of \(owner ?? "nobody")"
                + ", \(membership.map(\.rawValue) ?? "no member"), \(isDeactivated ? "deactivated" : "active")"
        }
    }

    static let all: [Case] = {
        var cases: [Case] = []
        let roleSets: [Set<Caller.Role>] = [
            [], [.reader], [.reader, .member], [.trusted], [.service], [.admin], [.reader, .member, .admin],
        ]
        for roles in roleSets {
            for project in ["mine", nil] as [String?] {
                for owner in ["mine", "other", nil] as [String?] {
                    for visibility in Image.Visibility.allCases {
                        for isDeactivated in [false, true] {
                            for membership in [nil, .pending, .accepted, .rejected] as [Member.Status?] {
                                cases.append(
                                    Case(
                                        caller: Caller(user: "u", project: project, roles: roles), owner: owner,
                                        visibility: visibility, isDeactivated: isDeactivated, membership: membership))
                            }
                        }
                    }
                }
            }
        }
        return cases
    }()

    /// The rules once more, as sentences about sets, over every combination there is.
    @Test("Every combination of caller and image follows the rules")
    func everyCombinationFollowsTheRules() {
        #expect(Self.all.count == 7 * 2 * 3 * 4 * 2 * 4)
        for row in Self.all {
            let (access, caller) = (row.access, row.caller)
            let isAdmin = caller.roles.contains(.admin)
            let owns = row.owner == "mine" && caller.project == "mine"
            let shares = row.visibility == .shared && row.membership != nil
            let sees = isAdmin || (!caller.roles.isEmpty && (owns || shares || [.public, .community].contains(row.visibility)))
            let changes = isAdmin || (owns && caller.roles.contains(.member))
            #expect(access.maySee == sees, "\(row.testDescription)")
            #expect(access.mayDownload == (sees && (isAdmin || !row.isDeactivated)), "\(row.testDescription)")
            #expect(access.mayModify == changes, "\(row.testDescription)")
            #expect(access.mayDelete == changes, "\(row.testDescription)")
            #expect(access.maySeeMembers == (isAdmin || (sees && (owns || shares))), "\(row.testDescription)")
            // A caller that does not see an image may do nothing with it.
            if !access.maySee {
                #expect(!access.mayDownload && !access.mayModify && !access.maySeeMembers && !access.maySee(member: "mine"))
            }
        }
    }

    /// A few rows written out, so that the rules above can't be wrong in the same way as the code.
    @Test(
        "A row of the table grants exactly its permissions",
        arguments: [
            ("mine", [.reader], "mine", .private, nil, "see download"),
            ("mine", [.reader, .member], "mine", .private, nil, "see download modify"),
            ("mine", [.reader, .member], "other", .private, nil, ""),
            ("mine", [.reader, .member], "other", .private, .accepted, ""),
            ("mine", [.reader], "other", .shared, nil, ""),
            ("mine", [.reader], "other", .shared, .pending, "see download"),
            ("mine", [.reader, .member], "other", .shared, .accepted, "see download answer"),
            ("mine", [.reader, .member], "other", .shared, .rejected, "see download answer"),
            ("mine", [.reader, .member], "other", .public, nil, "see download"),
            ("mine", [.reader], "other", .community, nil, "see download"),
            ("mine", [.service], "other", .private, nil, ""),
            (nil, [.reader, .member], nil, .private, nil, ""),
            (nil, [.admin], nil, .private, nil, "see download modify answer"),
            ("mine", [], "mine", .public, nil, ""),
        ] as [(String?, Set<Caller.Role>, String?, Image.Visibility, Member.Status?, String)])
    func aRowOfTheTableGrantsItsPermissions(
        project: String?, roles: Set<Caller.Role>, owner: String?, visibility: Image.Visibility, membership: Member.Status?,
        expected: String
    ) {
        let access = Case(
            caller: Caller(user: "u", project: project, roles: roles), owner: owner, visibility: visibility,
            isDeactivated: false, membership: membership
        ).access
        let rights = [
            ("see", access.maySee), ("download", access.mayDownload), ("modify", access.mayModify),
            ("answer", access.mayAnswer(for: "mine")),
        ]
        #expect(rights.filter(\.1).map(\.0).joined(separator: " ") == expected)
        #expect(access.mayAnswer(for: "third") == roles.contains(.admin), "only an admin answers for another project")
    }

    @Test("Some permissions depend on the caller alone")
    func somePermissionsDependOnTheCallerAlone() {
        func caller(_ roles: Set<Caller.Role>, project: String? = "mine") -> Caller {
            Caller(user: "u", project: project, roles: roles)
        }
        #expect(!caller([.reader]).mayCreate && caller([.reader, .member]).mayCreate)
        #expect(!caller([.member], project: nil).mayCreate && caller([.admin], project: nil).mayCreate)
        for role in Caller.Role.allCases {
            #expect(caller([role]).mayPublicize == (role == .admin))
            #expect(caller([role]).mayRemoveLocations == (role == .admin))
            #expect(caller([role]).maySeeLocations == [.admin, .trusted].contains(role))
            #expect(caller([role]).mayListLocations == [.admin, .service].contains(role))
        }
    }
}
