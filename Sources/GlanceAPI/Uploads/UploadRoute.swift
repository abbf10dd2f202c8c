import Access
import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import ImageUpload
import LocationLifecycle
import NIOCore
import Synchronization

/// `PUT /v2/images/{id}/file`: stores an image's bytes in the backend for uploads.
struct UploadRoute: Sendable {
    let catalog: any Catalog
    let registrar: LocationRegistrar
    /// Nil while uploads are switched off.
    let targets: Reloadable<UploadTarget?>
    let quotas: Reloadable<ProjectQuota>

    private var authorizer: ImageAuthorizer { ImageAuthorizer(images: catalog) }

    func put(_ request: Request, context: APIContext) async throws -> Response {
        guard request.headers[.contentType]?.prefix(while: { $0 != ";" }).lowercased() == "application/octet-stream" else {
            throw APIError(.unsupportedMediaType, "An upload must have the Content-Type application/octet-stream.")
        }
        let announced = try announcedSize(of: request)
        let authorized = try await authorizer.imageToModify(context)
        guard let target = targets.current else {
            throw APIError(
                .forbidden, "Uploads are switched off: add a location, or name a backend in uploads.backend.")
        }
        do {
            // Claimed before the catalog says `saving`, so that a new server process can tell whether an upload is still
            // running.
            return try await target.directory.claiming(authorized.id.description) {
                try await receive(
                    request, announced: announced, for: authorized.id, of: authorized.record.image.owner, target, context)
            }
        } catch let error as UploadError {
            throw APIError(status(of: error), error.description)
        }
    }

    /// Stores the bytes and makes the file a location.
    private func receive(
        _ request: Request, announced: Int64?, for id: ImageID, of owner: String?, _ target: UploadTarget,
        _ context: APIContext
    ) async throws -> Response {
        let quota = quotas.current
        // A task of its own, so that a client that leaves does not cancel it: the image would stay `saving` without an upload.
        let upload = UploadPath(backend: target.backend.id, path: id.description)
        let format = try await Task { try await begin(upload, announced: announced, quota, context) }.value
        do {
            let watch = UploadWatch(timeout: target.timeout)
            let body = request.body.map { part in
                watch.note()
                return part
            }
            let room = try await room(of: owner, announced: announced, quota)
            let file = try await watch.during(context.channel) {
                try await receive(body, announced: announced, atMost: room, for: id, format, target)
            }
            try await finish(file, at: upload, for: id, quota, target, context)
        } catch {
            // A task of its own, because the request may have been cancelled.
            await Task { await registrar.undoUpload(of: id, at: upload, because: error, logger: context.logger) }.value
            throw error
        }
        return Response(status: .noContent)
    }

    /// The size that the client announces; nil if it announces none.
    /// - Throws: `APIError` 400 for an invalid size or contradicting sizes.
    private func announcedSize(of request: Request) throws(APIError) -> Int64? {
        var sizes: [Int64] = []
        let names = [HTTPField.Name.contentLength, HTTPField.Name("x-openstack-image-size")].compactMap(\.self)
        for name in names {
            guard let text = request.headers[name] else { continue }
            guard let size = Int64(text), size >= 0 else { throw .badRequest("\(name) must be a whole number from 0.") }
            sizes.append(size)
        }
        guard Set(sizes).count < 2 else {
            throw .badRequest("Content-Length is \(sizes[0]), but x-openstack-image-size is \(sizes[1]): they must agree.")
        }
        return sizes.first
    }

    /// The most bytes that the upload may have; nil without a quota. The announced size is already counted as used.
    private func room(of owner: String?, announced: Int64?, _ quota: ProjectQuota) async throws -> Int64? {
        guard let limit = quota.bytes else { return nil }
        return max(0, limit - (try await catalog.uploadedBytes(of: owner)) + (announced ?? 0))
    }

    /// Reserves the image for this upload.
    /// - Returns: the image's format, which can't change any more.
    private func begin(
        _ upload: UploadPath, announced: Int64?, _ quota: ProjectQuota, _ context: APIContext
    ) async throws -> Format? {
        let changed = try await authorizer.update(context) { edit in
            try LocationRegistrar.beginUpload(&edit, at: upload, announced: announced, quota)
        }
        return changed.image.format
    }

    private func receive<Body: AsyncSequence>(
        _ body: Body, announced: Int64?, atMost room: Int64?, for id: ImageID, _ format: Format?, _ target: UploadTarget
    ) async throws -> UploadedFile where Body.Element == ByteBuffer {
        do {
            return try await target.directory.receive(
                body, announced: announced, quota: room, named: id.description,
                declared: target.isInspectingFormat ? format : nil)
        } catch let error as UploadError {
            throw APIError(status(of: error), error.description)
        } catch let error as APIError {
            throw error
        } catch {
            throw APIError.badRequest("The upload broke off: upload the image again.")
        }
    }

    /// Makes the file a serving location, or deletes it on an error.
    private func finish(
        _ file: UploadedFile, at upload: UploadPath, for id: ImageID, _ quota: ProjectQuota, _ target: UploadTarget,
        _ context: APIContext
    ) async throws {
        let actor = context.caller.user
        // A task of its own: a client that leaves after its last byte must not leave a file without a record.
        try await Task {
            do {
                let validator = try await target.validator(of: file)
                try await registrar.finishUpload(
                    of: id, at: upload, url: "\(target.backend.urlPrefix)\(LocationURL.encode(path: file.name))",
                    size: file.size, digests: file.digests, validator: validator, quota, actor: actor)
            } catch {
                try? await target.directory.remove(file.name)
                throw error
            }
        }.value
    }

    private func status(of error: UploadError) -> HTTPResponse.Status {
        switch error {
        case .tooLarge, .overQuota: .contentTooLarge
        case .wrongSize: .badRequest
        case .refusedFormat: .unsupportedMediaType
        case .diskFull: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .exists, .underWay: .conflict
        case .unusable: .internalServerError
        }
    }
}

/// Closes the connection of an upload whose client sends nothing for too long. Otherwise the image could stay `saving` forever.
final class UploadWatch: Sendable {
    private let timeout: Duration
    private let latest = Mutex(ContinuousClock.now)

    /// - Parameter timeout: how long the client may send nothing.
    init(timeout: Duration) { self.timeout = timeout }

    /// Records that bytes arrived.
    func note() { latest.withLock { $0 = .now } }

    /// Watches the connection while `work` runs.
    func during<Value: Sendable>(
        _ channel: any Channel, _ work: () async throws -> Value
    ) async rethrows -> Value {
        note()
        let watcher = Task { [self] in
            while true {
                let end = latest.withLock { $0 } + timeout
                if end <= .now { break }
                try await Task.sleep(until: end)
            }
            channel.close(promise: nil)
        }
        defer { watcher.cancel() }
        return try await work()
    }
}
