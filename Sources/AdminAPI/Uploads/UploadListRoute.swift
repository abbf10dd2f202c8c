import AdminContract
import BackendKit
import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import ImageUpload

/// `GET /baton/v1/uploads`: the files that uploads wrote, and other files in the same directory that are named like images.
struct UploadListRoute: Sendable {
    let uploads: any UploadStore
    let targets: Reloadable<UploadTarget?>

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let items = QueryItems(request.uri.query)
        var query = UploadQuery(
            limit: try ImageListRequest.limit(items[AdminQuery.limit.rawValue]), marker: items[AdminQuery.marker.rawValue])
        switch items[AdminQuery.orphans.rawValue] {
        case nil, "false": break
        case "true": query.onlyOrphans = true
        default: throw APIError.badRequest("orphans must be true or false.")
        }
        let entries = try await entries(query)
        let isFull = entries.count == query.limit
        return try Page(entries, next: isFull ? entries.last.map { next(behind: $0, query) } : nil).response()
    }

    private func next(behind last: UploadDocument, _ query: UploadQuery) -> String {
        var items: [(name: AdminQuery, value: String)] = [(.limit, "\(query.limit)"), (.marker, last.path)]
        if query.onlyOrphans { items.append((.orphans, "true")) }
        return AdminPath.path(AdminPath.uploads, query: items)
    }

    /// The uploads in the catalog, and the files that are named like images and that the catalog has no record of. Earlier
    /// versions left such files behind when an image was deleted.
    private func entries(_ query: UploadQuery) async throws -> [UploadDocument] {
        guard let target = targets.current else { return [] }
        let backend = target.backend.id
        var entries = try await uploads.uploads(in: backend, query).map { UploadDocument($0) }
        let files = try await target.directory.files().filter { file in
            ImageID(file.name) != nil && query.marker.map { file.name > $0 } != false
        }
        let unknown = Set(try await uploads.unknownPaths(among: files.map(\.name), in: backend))
        entries += files.filter { unknown.contains($0.name) }.map { file in
            UploadDocument(
                backend: backend, path: file.name, image: file.name, owner: nil, size: file.size,
                state: UploadDocument.unknownState, isOrphan: true, createdAt: nil, expiresAt: nil)
        }
        return Array(entries.sorted { $0.path < $1.path }.prefix(query.limit))
    }
}

extension UploadDocument {
    init(_ upload: UploadRecord) {
        self.init(
            backend: upload.file.backend, path: upload.file.path, image: upload.image.description, owner: upload.owner,
            size: upload.size, state: upload.state.rawValue, isOrphan: upload.isOrphan, createdAt: upload.createdAt,
            expiresAt: upload.expiresAt)
    }
}
