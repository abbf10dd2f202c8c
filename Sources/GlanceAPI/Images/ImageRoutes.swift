import Access
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel

/// `/v2/images`, without patches, image data and the resources below an image.
struct ImageRoutes: Sendable {
    let images: any ImageStore
    let quota: Reloadable<ProjectQuota>

    private var authorizer: ImageAuthorizer { ImageAuthorizer(images: images) }

    func create(_ request: Request, context: APIContext) async throws -> Response {
        let caller = context.caller
        guard caller.mayCreate else {
            throw APIError(.forbidden, "Creating an image requires a project and the role member in it.")
        }
        guard let members = try await JSONValue(body: request, for: context, upTo: JSONValue.largestLimit).members else {
            throw APIError.badRequest("The request's body must be a JSON object.")
        }
        let image = try newImage(members, by: caller)
        try await images.createImage(image, quota: quota.current)
        let record = ImageRecord(new: image)
        return try await JSONValue.image(record, for: caller).response(
            for: context, status: .created, headers: [.location: "/v2/images/\(image.id)"])
    }

    private func newImage(_ members: [String: JSONValue], by caller: Caller) throws(APIError) -> Image {
        var members = members
        let id: ImageID
        switch members.removeValue(forKey: "id") {
        case nil, .null: id = ImageID()
        case .some(let value):
            guard let given = value.text.flatMap({ ImageID($0) }) else { throw .badRequest("id must be a UUID.") }
            id = given
        }
        let now = Date.now
        var image = Image(id: id, owner: caller.project, createdAt: now, updatedAt: now)
        for name in members.keys.sorted() {
            guard let value = members[name] else { continue }
            try ImageProperty.requireWritable(name)
            switch ImageProperty(rawValue: name) {
            case .locations:
                throw APIError(.forbidden, "An image is created without locations: add them to it afterwards.")
            case .some(let property):
                // Clients send null for properties that they leave unset.
                if value != .null { try image.set(property, to: value, by: caller) }
            case nil:
                try image.setProperty(name, to: value)
            }
        }
        return image
    }

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let listRequest = try ImageListRequest(request.uri.query, by: context.caller)
        let found = try await images.page(listRequest.query)
        var page = JSONPage()
        let caller = context.caller
        var last = try await page.fill(with: found.items, for: context) { JSONValue.image($0, for: caller) }
        if last == nil, found.isCut || found.items.count == listRequest.query.limit { last = found.items.last }
        var answer: [String: JSONValue] = ["first": .string(listRequest.first), "schema": "/v2/schemas/images"]
        if let last { answer["next"] = .string(listRequest.next(behind: last.image.id)) }
        return try page.response("images", answer)
    }

    func show(_ request: Request, context: APIContext) async throws -> Response {
        try await JSONValue.image(try await authorizer.image(context).record, for: context.caller).response(for: context)
    }

    func delete(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await authorizer.image(context)
        guard authorized.access.mayDelete else { throw APIError.forbidden("delete the image \(authorized.id)") }
        try await images.deleteImage(authorized.id)
        return Response(status: .noContent)
    }

    func deactivate(_ request: Request, context: APIContext) async throws -> Response {
        try await change(from: .active, to: .deactivated, context)
    }

    func reactivate(_ request: Request, context: APIContext) async throws -> Response {
        try await change(from: .deactivated, to: .active, context)
    }

    private func change(from: Image.Status, to: Image.Status, _ context: APIContext) async throws -> Response {
        try await authorizer.update(context) { edit in
            guard [from, to].contains(edit.image.status) else {
                throw APIError(
                    .forbidden, "An image that is \(edit.image.status.rawValue) can't become \(to.rawValue).")
            }
            edit.image.status = to
        }
        return Response(status: .noContent)
    }

    func addTag(_ request: Request, context: APIContext) async throws -> Response {
        let tag = context.part("tag")
        guard RequestText.fits(tag, scalars: RequestText.longestName) else {
            throw APIError.badRequest("A tag has at most \(RequestText.longestName) characters.")
        }
        try await authorizer.update(context) { edit in
            try edit.image.setTags(edit.image.tags + [tag])
        }
        return Response(status: .noContent)
    }

    func removeTag(_ request: Request, context: APIContext) async throws -> Response {
        let tag = context.part("tag")
        try await authorizer.update(context) { edit in
            guard let index = edit.image.tags.firstIndex(of: tag) else {
                throw APIError(.notFound, "The image has no tag \(tag.excerpt(64)).")
            }
            edit.image.tags.remove(at: index)
        }
        return Response(status: .noContent)
    }
}
