import Access
import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationLifecycle

/// `PATCH /v2/images/{id}`.
struct ImagePatchRoute: Sendable {
    let images: any ImageStore
    let attach: AttachAuthorizer
    let registrar: LocationRegistrar
    let statusChanges: LocationStatusChanges

    private var authorizer: ImageAuthorizer { ImageAuthorizer(images: images) }

    func patch(_ request: Request, context: APIContext) async throws -> Response {
        let draft = try draft(of: request)
        let authorized = try await authorizer.imageToModify(context)
        let patch = try ImagePatch(try await JSONValue(body: request, for: context, upTo: JSONValue.largestLimit), draft: draft)
        context.record.note(changes: patch.operations.map(\.summary))
        let caller = context.caller
        if !caller.mayRemoveLocations, patch.operations.contains(where: { $0.target.isOfLocations && $0.kind == .remove }) {
            throw APIError(.forbidden, "Only administrators may remove locations from an image.")
        }
        let operations = try await examined(patch, authorized.record, caller)
        let expiresAt = statusChanges.expiry(from: .now)
        let record = try await authorizer.update(context) { edit in
            edit.expiresAt = expiresAt
            for operation in patch.operations {
                try patch.apply(operation, to: &edit.image, by: caller)
                try operations.apply(operation, to: &edit)
            }
        }
        let kept = Set(record.locations.map(\.location.id))
        statusChanges.wereDeleted(authorized.record.locations.map(\.location.id).filter { !kept.contains($0) })
        let changed = try await bringToService(record, since: authorized.record, caller)
        return try await JSONValue.image(changed, for: caller).response(for: context)
    }

    private func draft(of request: Request) throws(APIError) -> ImagePatch.Draft {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard let draft = type.flatMap({ ImagePatch.Draft(rawValue: $0) }) else {
            let known = ImagePatch.Draft.allCases.map(\.rawValue).joined(separator: ", ")
            var error = APIError(.unsupportedMediaType, "A change to an image must have one of these Content-Types: \(known).")
            if let name = HTTPField.Name("Accept-Patch") { error.headers[name] = known }
            throw error
        }
        return draft
    }

    /// Examines the patch's new locations before anything is stored.
    private func examined(
        _ patch: ImagePatch, _ record: ImageRecord, _ caller: Caller
    ) async throws -> LocationOperations {
        let entries = try LocationOperations.entries(of: patch)
        var operations = LocationOperations()
        let present = Set(record.locations.map(\.location.url))
        let new = entries.filter { !present.contains($0.url) }
        guard !new.isEmpty else { return operations }
        // Checks that need no backend come first: a contradicting digest is a conflict in any backend.
        let claimed = try ValidationData(merging: entries.map(\.validation))
        let digests = try claimed.digests(for: record.image, known: record.digests)
        var image = record.image
        for operation in patch.operations { try patch.apply(operation, to: &image, by: caller) }
        guard let format = image.format else {
            throw APIError.badRequest("disk_format and container_format must be set before an image gets a location.")
        }
        for entry in new where operations.examined[entry.url] == nil {
            let (backend, path) = try attach.registry.resolve(location: entry.url)
            try await attach.authorize(caller, toAttach: path, in: backend, to: image)
            operations.examined[entry.url] = try await registrar.examine(
                NewLocation(
                    image: image.id, backend: backend, path: path, url: entry.url, format: format,
                    size: record.representation?.size, digests: record.digests.merging(digests), metadata: entry.words))
        }
        return operations
    }

    /// Activates the new locations. If one fails, those that have not served yet are removed and the patch fails. The patch's
    /// other changes stay, because other requests may have seen them.
    private func bringToService(
        _ record: ImageRecord, since before: ImageRecord, _ caller: Caller
    ) async throws -> ImageRecord {
        let known = Set(before.locations.map(\.location.id))
        let new = record.locations.map(\.location).filter { $0.state.status == .pending && !known.contains($0.id) }
        guard !new.isEmpty else { return record }
        try await registrar.admit(new)
        return try await images.record(of: record.image.id, for: caller.project) ?? record
    }
}

extension ImagePatch.Target {
    /// Whether the target is a location or the list of locations.
    var isOfLocations: Bool {
        if case .property = self { false } else { true }
    }
}

extension DigestSet {
    /// These digests, completed by those of another set.
    func merging(_ other: DigestSet) -> DigestSet { DigestSet(other.all + all) }
}
