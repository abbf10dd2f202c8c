import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import Identity
import ImageCatalog
import ImageModel
import Logging

/// `/v2/images/{id}/locations`, which Glance has since 2.17: one location for a queued image, taken in behind the answer.
struct LocationImportRoutes: Sendable {
    let images: any ImageStore
    let attach: AttachAuthorizer
    let admission: any LocationAdmission
    let drain: Drain

    private var gate: ImageAuthorizer { ImageAuthorizer(images: images) }

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let admitted = try await gate.image(context)
        guard context.caller.mayListLocations else {
            throw APIError(.forbidden, "Only services and administrators see where an image lies.")
        }
        return try JSONValue.array(admitted.record.locations.map { .listed($0) }).response()
    }

    func add(_ request: Request, context: APIContext) async throws -> Response {
        let admitted = try await gate.image(context)
        try attach.registry.permitAttaching(context.caller, to: admitted.record.image)
        guard let members = try await JSONValue(body: request, for: context).members else {
            throw APIError.badRequest("The request's body must be a JSON object.")
        }
        let url = try LocationEntry.url(members["url"])
        let validation = members["validation_data"].flatMap { $0 == .null ? nil : $0 } ?? [:]
        let digests = try ValidationData(validation, needsHash: false).digests(orElse: .badRequest)
        let place = try attach.registry.place(ofURL: url)
        try await attach.permit(context.caller, toAttach: place.path, in: place.backend, to: admitted.record.image)
        try requireQueued(admitted.record.image)
        try drain.refuseNewWork()
        // Whether or not the client is still there: an image must not be left importing with nobody who knows of it.
        let task = try await Task { try await begin(url: url, validation, context) }.value
        let logger = context.logger
        // Nobody waits for it: the task says how it went, and a restart ends it as failed.
        Task {
            await run(task, url: url, in: place, digests, logger)
        }
        return Response(status: .accepted)
    }

    private func requireQueued(_ image: Image) throws(APIError) {
        guard image.status == .queued else {
            throw .conflict("A location can't be added while the image is \(image.status.rawValue).")
        }
    }

    /// Takes the image for this import alone, and writes the task down.
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
        _ = try await images.update(id, for: caller.project, at: now, actor: caller.user) { edit in
            try requireQueued(edit.image)
            guard edit.image.format != nil else {
                throw APIError.badRequest("disk_format and container_format must be set before an image gets a location.")
            }
            edit.image.status = .importing
        }
        do {
            try await images.add(task)
        } catch {
            await undo(task, [], because: error, context.logger)
            throw error
        }
        return task
    }

    private func run(
        _ task: ImageTask, url: String, in place: (backend: BackendID, path: String), _ digests: DigestSet, _ logger: Logger
    ) async {
        var added: [LocationID] = []
        do {
            guard let format = try await images.record(of: task.image, for: nil)?.image.format else {
                throw CatalogError.unknownImage(task.image)
            }
            let new = try await admission.examine(
                ProposedLocation(
                    image: task.image, backend: place.backend, path: place.path, url: url, format: format, size: nil,
                    digests: digests, metadata: [:]))
            let record = try await images.update(task.image, for: nil, at: .now, actor: task.user) { edit in
                guard edit.image.status == .importing, edit.image.format == format else {
                    throw APIError.conflict("The image was changed during the import.")
                }
                edit.entries.append(.new(ImageEdit.NewEntry(new)))
            }
            let pending = record.locations.map(\.location).filter { $0.url == url }
            added = pending.map(\.id)
            guard !pending.isEmpty else { throw APIError.conflict("The image's formats were changed during the import.") }
            for location in pending {
                guard try await admission.admit(location, inFull: true).state.status.serves else {
                    throw APIError.conflict("The location was taken out before it had been read.")
                }
            }
            try await images.setStatus(.success, message: "", ofTask: task.id, at: .now)
        } catch {
            logger.warning(
                "import.failed: A location could not be imported.", metadata: ["image": "\(task.image)", "error": "\(error)"])
            await undo(task, added, because: error, logger)
        }
    }

    private func undo(_ task: ImageTask, _ added: [LocationID], because error: any Error, _ logger: Logger) async {
        do {
            try await images.forget(added)
            // The image's owner reads it.
            let message = (error as? CatalogError).map { APIError($0).message } ?? "\(error)"
            try await images.setStatus(.failure, message: message, ofTask: task.id, at: .now)
            _ = try await images.update(task.image, for: nil, at: .now, actor: "baton") { edit in
                if edit.image.status == .importing { edit.image.status = .queued }
            }
        } catch CatalogError.unknownImage {
            // Deleted meanwhile: there is nothing left to put back.
        } catch {
            logger.error(
                "import.cleanup_failed: A failed import could not be undone.",
                metadata: ["image": "\(task.image)", "error": "\(error)"])
        }
    }
}
