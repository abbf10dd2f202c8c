import Access
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel

/// `/v2/images/{id}/members`: the projects that an image is shared with.
struct MemberRoutes: Sendable {
    let catalog: any Catalog

    private var authorizer: ImageAuthorizer { ImageAuthorizer(images: catalog) }

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await sharedImage(context)
        guard authorized.access.maySeeMembers else { throw APIError.forbidden("see the members of the image") }
        let visible = try await catalog.members(of: authorized.id).filter { authorized.access.maySee(member: $0.project) }
        let items = QueryItems(request.uri.query)
        var page = JSONPage()
        let last = try await page.fill(with: try Marker.rest(of: visible, items, \.project), for: context) {
            JSONValue.member($0)
        }
        var answer: [String: JSONValue] = ["schema": "/v2/schemas/members"]
        if let last { answer["next"] = Marker.next("/v2/images/\(authorized.id)/members", behind: last.project) }
        return try page.response("members", answer)
    }

    func show(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await authorizer.image(context)
        let project = context.part("member")
        guard authorized.record.image.visibility == .shared, authorized.access.maySee(member: project),
            let member = try await catalog.members(of: authorized.id).first(where: { $0.project == project })
        else { throw CatalogError.unknownMember(authorized.id, project: project) }
        return try JSONValue.member(member).response()
    }

    func add(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await sharedImage(context)
        guard authorized.access.mayModify else { throw APIError.forbidden("share the image \(authorized.id)") }
        var body = try await RequestObject(request, for: context)
        guard let project = try body.string("member"), !project.isEmpty else {
            throw APIError.badRequest("member is missing: give the id of the project to share the image with.")
        }
        let now = Date.now
        let member = Member(image: authorized.id, project: project, createdAt: now, updatedAt: now)
        try await catalog.add(member)
        return try JSONValue.member(member).response()
    }

    func update(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await sharedImage(context)
        let project = context.part("member")
        guard authorized.access.maySee(member: project) else {
            throw CatalogError.unknownMember(authorized.id, project: project)
        }
        guard authorized.access.mayAnswer(for: project) else {
            throw APIError(.forbidden, "Only the project that the image is shared with may accept or reject it.")
        }
        var body = try await RequestObject(request, for: context)
        guard let status = try body.choice("status", of: Member.Status.self) else {
            throw APIError.badRequest("status is missing: give pending, accepted or rejected.")
        }
        return try JSONValue.member(
            try await catalog.setStatus(status, of: project, in: authorized.id, at: .now)
        ).response()
    }

    func remove(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await sharedImage(context)
        guard authorized.access.mayModify else { throw APIError.forbidden("stop sharing the image \(authorized.id)") }
        try await catalog.removeMember(context.part("member"), of: authorized.id)
        return Response(status: .noContent)
    }

    private func sharedImage(_ context: APIContext) async throws -> AuthorizedImage {
        let authorized = try await authorizer.image(context)
        guard authorized.record.image.visibility == .shared else {
            throw APIError(.forbidden, "Only images with the visibility shared have members.")
        }
        return authorized
    }
}

extension JSONValue {
    fileprivate static func member(_ member: Member) -> JSONValue {
        .object([
            "image_id": .string(member.image.description), "member_id": .string(member.project),
            "status": .string(member.status.rawValue), "created_at": .time(member.createdAt),
            "updated_at": .time(member.updatedAt), "schema": "/v2/schemas/member",
        ])
    }
}
