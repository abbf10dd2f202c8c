import BackendKit
import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import ImageUpload

/// `GET /baton/v1/uploads`: the files that uploads wrote, and what lies beside them.
struct UploadListRoute: Sendable {
    let uploads: any UploadStore
    let targets: Reloadable<UploadTarget?>

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let items = QueryItems(request.uri.query)
        var query = UploadQuery(limit: try ImageListRequest.limit(items["limit"]), marker: items["marker"])
        switch items["orphans"] {
        case nil, "false": break
        case "true": query.onlyOrphans = true
        default: throw APIError.badRequest("orphans must be true or false.")
        }
        let entries = try await entries(query)
        var answer: [String: JSONValue] = ["uploads": .array(entries.map(\.document))]
        if entries.count == query.limit, let last = entries.last {
            let orphans = query.onlyOrphans ? "&orphans=true" : ""
            answer["next"] = .string(
                "/baton/v1/uploads?limit=\(query.limit)&marker=\(PercentEncoding.encode(last.path))\(orphans)")
        }
        return try JSONValue.object(answer).response()
    }

    private typealias Entry = (path: String, document: JSONValue)

    /// What the catalog knows, and the files that bear the id of an image and that it does not know: what earlier versions left when an
    /// image was deleted.
    private func entries(_ query: UploadQuery) async throws -> [Entry] {
        guard let target = targets.current else { return [] }
        let backend = target.backend.id
        var entries = try await uploads.uploads(in: backend, query).map { Entry($0.place.path, .upload($0)) }
        let files = try await target.directory.files().filter { file in
            ImageID(file.name) != nil && query.marker.map { file.name > $0 } != false
        }
        let unknown = Set(try await uploads.unknownPaths(among: files.map(\.name), in: backend))
        entries += files.filter { unknown.contains($0.name) }.map { file in
            Entry(file.name, .unknownUpload(file.name, size: file.size, in: backend))
        }
        return Array(entries.sorted { $0.path < $1.path }.prefix(query.limit))
    }
}

extension JSONValue {
    fileprivate static func upload(_ upload: UploadRecord) -> JSONValue {
        .object([
            "backend": .string(upload.place.backend.name), "path": .string(upload.place.path),
            "image": .string(upload.image.description), "owner": .optional(upload.owner), "size": .integer(upload.size),
            "state": .string(upload.state.rawValue), "orphaned": .boolean(upload.isOrphan),
            "created_at": .time(upload.createdAt), "expires_at": upload.expiresAt.map { .time($0) } ?? .null,
        ])
    }

    /// A file that no record is about.
    fileprivate static func unknownUpload(_ name: String, size: Int64, in backend: BackendID) -> JSONValue {
        .object([
            "backend": .string(backend.name), "path": .string(name), "image": .string(name), "owner": .null,
            "size": .integer(size), "state": "unknown", "orphaned": true, "created_at": .null, "expires_at": .null,
        ])
    }
}
