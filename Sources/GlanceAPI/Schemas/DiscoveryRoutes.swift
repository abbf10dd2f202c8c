import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel

/// What clients ask to learn what this service can do: schemas, and Glance's `/v2/info`.
enum DiscoveryRoutes {
    static func schema(_ request: Request, context: APIContext) throws -> Response {
        let name = context.part("name")
        guard let schema = SchemaDocuments.byName[name] else {
            let known = SchemaDocuments.byName.keys.sorted().joined(separator: ", ")
            throw APIError(.notFound, "There is no schema \(name.excerpt(64)); there are \(known).")
        }
        return try schema.response()
    }

    /// No way of Glance's imports: a location is given, or the bytes are uploaded.
    static func importMethods(_ request: Request, context: APIContext) throws -> Response {
        let methods: JSONValue = ["type": "array", "description": "The ways to import an image", "value": []]
        return try JSONValue.object(["import-methods": methods]).response()
    }

    /// Glance's own answer where one cannot choose between stores.
    static func stores(_ request: Request, context: APIContext) throws -> Response {
        throw APIError(.notFound, "There are no stores to choose from: where an image lies is said with its locations.")
    }
}
