import Access
import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationLifecycle

/// `/v2/images/{id}/locations`, which Glance has since 2.17: adds one location to a queued image in the background.
struct LocationImportRoutes: Sendable {
    let images: any ImageStore
    let attach: AttachAuthorizer
    let registrar: LocationRegistrar
    let drain: Drain

    private var authorizer: ImageAuthorizer { ImageAuthorizer(images: images) }

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await authorizer.image(context)
        guard context.caller.mayListLocations else {
            throw APIError(.forbidden, "Only services and administrators may list the locations of an image.")
        }
        return try JSONValue.array(authorized.record.locations.map { .listed($0) }).response()
    }

    func add(_ request: Request, context: APIContext) async throws -> Response {
        let authorized = try await authorizer.image(context)
        try attach.registry.authorizeAttaching(context.caller, to: authorized.record.image)
        guard let members = try await JSONValue(body: request, for: context).members else {
            throw APIError.badRequest("The request's body must be a JSON object.")
        }
        let url = try LocationEntry.url(members["url"])
        let validation = members["validation_data"].flatMap { $0 == .null ? nil : $0 } ?? [:]
        let digests = try ValidationData(validation, isHashRequired: false).digests(orElse: .badRequest)
        let resolved = try attach.registry.resolve(location: url)
        try await attach.authorize(context.caller, toAttach: resolved.path, in: resolved.backend, to: authorized.record.image)
        try LocationRegistrar.requireQueued(authorized.record.image)
        try drain.refuseNewWork()
        // A task of its own, so that a client that leaves does not cancel it: the image would stay `importing` without a task.
        let task = try await Task { try await begin(url: url, validation, context) }.value
        let logger = context.logger
        // The import runs in the background. The image's task reports the result; a restart marks it as failed.
        Task {
            await registrar.runImport(
                task, of: url, at: resolved.path, in: resolved.backend, digests, describe: Self.describe, logger: logger)
        }
        return Response(status: .accepted)
    }

    /// Reserves the image for this import and stores the task.
    private func begin(url: String, _ validation: JSONValue, _ context: APIContext) async throws -> ImageTask {
        let id = try context.imageID()
        let caller = context.caller
        let now = Date.now
        let input: JSONValue = [
            "image_id": .string(id.description), "loc_url": .string(url), "validation_data": validation,
        ]
        let task = ImageTask(
            kind: "location_import", status: .processing, image: id, owner: caller.project, user: caller.user,
            request: context.requestID, input: String(decoding: try JSONEncoder().encode(input), as: UTF8.self),
            createdAt: now, updatedAt: now)
        try await registrar.beginImport(task, for: caller.project, describe: Self.describe, logger: context.logger)
        return task
    }

    /// The description of an error for the image's owner.
    private static func describe(_ error: any Error) -> String {
        (error as? CatalogError).map { APIError($0).message } ?? "\(error)"
    }
}
