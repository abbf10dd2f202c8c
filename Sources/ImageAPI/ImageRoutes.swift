internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import ImageCatalog
internal import ImageModel

/// `/v2/images` but for the data.
struct ImageRoutes: Sendable {
    let catalog: any CatalogStore

    func create(_ request: Request, context: APIContext) async throws -> Response {
        var body = try await RequestObject(request)
        let image = try newImage(&body)
        try await catalog.createImage(image)
        let document = JSONValue.image(image, representation: nil, digests: DigestSet())
        return try document.response(status: .created, headers: [.location: "/v2/images/\(image.id)"])
    }

    private func newImage(_ body: inout RequestObject) throws -> Image {
        let id: ImageID
        if let text = try body.string("id") {
            guard let given = ImageID(text) else { throw APIError.badRequest("id must be a UUID.") }
            id = given
        } else {
            id = ImageID()
        }
        let now = Date.now
        var image = Image(id: id, createdAt: now, updatedAt: now)
        image.name = try body.string("name")
        image.visibility = try body.choice("visibility", of: Image.Visibility.self) ?? .shared
        image.diskFormat = try body.choice("disk_format", of: DiskFormat.self)
        image.containerFormat = try body.choice("container_format", of: ContainerFormat.self)
        image.minDisk = Int(try body.integer("min_disk", in: 0...Int64(Int32.max)) ?? 0)
        image.minRAM = Int(try body.integer("min_ram", in: 0...Int64(Int32.max)) ?? 0)
        image.isProtected = try body.boolean("protected") ?? false
        image.isHidden = try body.boolean("os_hidden") ?? false
        image.owner = try body.string("owner")
        image.tags = try body.strings("tags") ?? []
        image.properties = try body.remainingStrings(of: "the image")
        let reserved = [
            "status", "size", "checksum", "os_hash_algo", "os_hash_value", "virtual_size", "created_at", "updated_at", "self",
            "file", "schema", "locations", "direct_url", "stores",
        ]
        if let name = image.properties.keys.sorted().first(where: { reserved.contains($0) || $0.hasPrefix("os_glance") }) {
            throw APIError(.forbidden, "\(name) is set by the service and can't be given.")
        }
        return image
    }

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let query = try query(of: request)
        let images = try await catalog.images(query)
        var documents: [JSONValue] = []
        for image in images { documents.append(try await document(of: image)) }
        var answer: [String: JSONValue] = [
            "images": .array(documents), "first": .string("/v2/images"), "schema": .string("/v2/schemas/images"),
        ]
        if images.count == query.limit, let last = images.last {
            answer["next"] = .string("/v2/images?limit=\(query.limit)&marker=\(last.id)")
        }
        return try JSONValue.object(answer).response()
    }

    private func query(of request: Request) throws -> ImageQuery {
        let parameters = request.uri.queryParameters
        var query = ImageQuery()
        if let text = parameters["limit"] {
            guard let limit = Int(text), limit >= 0 else { throw APIError.badRequest("limit must be a whole number from 0.") }
            query.limit = min(limit, 1000)
        }
        if let text = parameters["marker"] {
            guard let marker = ImageID(String(text)) else { throw APIError.badRequest("marker must be an image's id.") }
            query.marker = marker
        }
        query.name = parameters["name"].map { String($0) }
        if let text = parameters["status"] {
            guard let status = Image.Status(rawValue: String(text)) else {
                throw APIError.badRequest("status \(text.prefix(32)) is not known.")
            }
            query.status = status
        }
        if let text = parameters["visibility"] {
            guard let visibility = Image.Visibility(rawValue: String(text)) else {
                throw APIError.badRequest("visibility \(text.prefix(32)) is not known.")
            }
            query.visibility = visibility
        }
        return query
    }

    func show(_ request: Request, context: APIContext) async throws -> Response {
        let id = try context.imageID()
        guard let image = try await catalog.image(id) else { throw APIError.notFound(image: id.description) }
        return try await document(of: image).response()
    }

    func delete(_ request: Request, context: APIContext) async throws -> Response {
        try await catalog.deleteImage(try context.imageID())
        return Response(status: .noContent)
    }

    private func document(of image: Image) async throws -> JSONValue {
        let resolution = try await catalog.resolve(image.id, format: RequestedFormat())
        let representation = resolution?.representation
        return .image(
            image, representation: representation,
            digests: DigestSet(of: representation, locations: resolution?.locations ?? []))
    }
}
