package import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import Logging

/// Registers locations of images for every way of registering: by an operator, by a patch or an import of a Glance client, by an
/// upload, or from a served directory. A registration that began is completed or undone.
package struct LocationRegistrar: Sendable {
    private let catalog: any Catalog
    private let checks: any LocationChecks
    private let statusChanges: LocationStatusChanges

    /// - Parameters:
    ///   - checks: what a location must pass before it serves.
    ///   - statusChanges: is told about locations that become active as part of a change of their image.
    package init(
        catalog: any Catalog, checks: any LocationChecks, statusChanges: LocationStatusChanges
    ) {
        self.catalog = catalog
        self.checks = checks
        self.statusChanges = statusChanges
    }
}

/// The reason why a location is not registered.
package struct RegistrationError: Error, Equatable, CustomStringConvertible {
    /// The cause, which decides the status of the response.
    package enum Kind: Sendable {
        /// The request is invalid.
        case invalid
        /// The image's status does not allow it.
        case conflict
        /// The image's status changed during the registration.
        case gone
    }

    package let kind: Kind
    /// One sentence for the caller.
    package let description: String
}

// Registration by an operator.
extension LocationRegistrar {
    /// Registers a location, and activates it if it passes its probe.
    /// - Returns: the resulting location, and the failure that leaves it pending, if any.
    /// - Throws: `CatalogError`.
    package func register(
        _ new: NewLocation, actor: String, reason: String = "registered"
    ) async throws -> (location: Location, failure: AttemptFailure?) {
        try await checks.activate(
            try await catalog.addLocation(new, id: LocationID(), at: .now, actor: actor, reason: reason))
    }
}

// Registration by a Glance client.
extension LocationRegistrar {
    /// Probes a location before anything is stored.
    /// - Returns: the location. If a digest is known and the client left the size out, it has the size that the probe found.
    /// - Throws: `RegistrationError` if it cannot be a location.
    package func examine(_ new: NewLocation) async throws -> NewLocation { try await checks.examine(new) }

    /// Activates registered locations: with a probe, or with a full read that is awaited for up to ten seconds. A longer read
    /// continues in the background.
    /// - Throws: `RegistrationError` if one of them cannot serve; then those that have not served yet are removed.
    package func admit(_ locations: [Location]) async throws {
        do {
            for location in locations { _ = try await checks.admit(location, readsInFull: false) }
        } catch {
            try await catalog.forget(locations.map(\.id))
            throw error
        }
    }

    /// - Throws: `RegistrationError` unless the image's status allows an import.
    package static func requireQueued(_ image: Image) throws(RegistrationError) {
        guard image.status == .queued else {
            throw RegistrationError(
                kind: .conflict, description: "A location can't be added while the image is \(image.status.rawValue).")
        }
    }

    /// Reserves an image for one import and records the task.
    /// - Parameter describe: the text of an error for the image's owner.
    package func beginImport(
        _ task: ImageTask, for project: String?, describe: (any Error) -> String, logger: Logger
    ) async throws {
        _ = try await catalog.update(task.image, for: project, at: task.createdAt, actor: task.user) { edit in
            try Self.requireQueued(edit.image)
            guard edit.image.format != nil else {
                throw RegistrationError(
                    kind: .invalid,
                    description: "disk_format and container_format must be set before an image gets a location.")
            }
            edit.image.status = .importing
        }
        do {
            try await catalog.add(task)
        } catch {
            await undoImport(task, [], because: describe(error), logger)
            throw error
        }
    }

    /// Imports a location: probes it, registers it, and reads it in full. After a failure the image is `queued` again.
    /// - Parameters:
    ///   - task: the task that `beginImport` recorded; the result of the import is stored in it.
    ///   - describe: the text of an error for the image's owner.
    package func runImport(
        _ task: ImageTask, of url: String, at path: String, in backend: BackendID, _ digests: DigestSet,
        describe: (any Error) -> String, logger: Logger
    ) async {
        var added: [LocationID] = []
        do {
            guard let format = try await catalog.record(of: task.image, for: nil)?.image.format else {
                throw CatalogError.unknownImage(task.image)
            }
            let new = try await examine(
                NewLocation(
                    image: task.image, backend: backend, path: path, url: url, format: format, size: nil, digests: digests))
            let record = try await catalog.update(task.image, for: nil, at: .now, actor: task.user) { edit in
                guard edit.image.status == .importing, edit.image.format == format else {
                    throw RegistrationError(kind: .conflict, description: "The image was changed during the import.")
                }
                edit.entries.append(.new(ImageEdit.NewEntry(new)))
            }
            let pending = record.locations.map(\.location).filter { $0.url == url }
            added = pending.map(\.id)
            guard !pending.isEmpty else {
                throw RegistrationError(kind: .conflict, description: "The image's formats were changed during the import.")
            }
            for location in pending {
                guard try await checks.admit(location, readsInFull: true).state.status.serves else {
                    throw RegistrationError(
                        kind: .conflict, description: "The location was taken out of service before it was read in full.")
                }
            }
            try await catalog.setStatus(.success, message: "", ofTask: task.id, at: .now)
        } catch {
            logger.warning(
                "import.failed: A location could not be imported.", metadata: ["image": "\(task.image)", "error": "\(error)"])
            await undoImport(task, added, because: describe(error), logger)
        }
    }

    private func undoImport(_ task: ImageTask, _ added: [LocationID], because message: String, _ logger: Logger) async {
        do {
            try await catalog.forget(added)
            try await catalog.setStatus(.failure, message: message, ofTask: task.id, at: .now)
            _ = try await catalog.update(task.image, for: nil, at: .now, actor: "baton") { edit in
                if edit.image.status == .importing { edit.image.status = .queued }
            }
        } catch CatalogError.unknownImage {
            // The image was deleted meanwhile, so nothing needs to be undone.
        } catch {
            logger.error(
                "import.cleanup_failed: A failed import could not be undone.",
                metadata: ["image": "\(task.image)", "error": "\(error)"])
        }
    }
}

// Registration by an upload.
extension LocationRegistrar {
    /// Reserves an image for one upload, as part of a change of the image.
    /// - Throws: `RegistrationError` unless the image's status allows an upload.
    package static func beginUpload(
        _ edit: inout ImageEdit, at upload: UploadPath, announced: Int64?, _ quota: ProjectQuota
    ) throws(RegistrationError) {
        guard edit.image.status == .queued else {
            throw RegistrationError(
                kind: .conflict, description: "Only a queued image takes an upload; this one is \(edit.image.status.rawValue).")
        }
        guard edit.image.format != nil else {
            throw RegistrationError(
                kind: .invalid, description: "disk_format and container_format must be set before an image is uploaded.")
        }
        edit.image.status = .saving
        edit.upload = .begin(upload, announced: announced, quota)
    }

    /// Registers an uploaded file as an active location and activates its image, in one transaction.
    /// - Parameters:
    ///   - url: the URL of the file.
    ///   - validator: the validator that the file's backend reports.
    package func finishUpload(
        of image: ImageID, at upload: UploadPath, url: String, size: Int64, digests: DigestSet, validator: Validator?,
        _ quota: ProjectQuota, actor: String
    ) async throws {
        _ = try await catalog.update(image, for: nil, at: .now, actor: actor) { edit in
            guard edit.image.status == .saving, let format = edit.image.format else {
                throw RegistrationError(
                    kind: .gone, description: "The image was changed during the upload; the uploaded file is not kept.")
            }
            let location = NewLocation(
                image: image, backend: upload.backend, path: upload.path, url: url, format: format, size: size, digests: digests
            )
            edit.image.status = .active
            edit.upload = .finish(upload, size: size, quota)
            edit.entries.append(.new(ImageEdit.NewEntry(location, validator: validator, isActive: true)))
        }
        statusChanges.activations.wake()
    }

    /// Resets an image whose upload failed.
    package func undoUpload(of image: ImageID, at upload: UploadPath, because error: any Error, logger: Logger) async {
        logger.warning("upload.failed: An upload failed.", metadata: ["image": "\(image)", "error": "\(error)"])
        do {
            _ = try await catalog.update(image, for: nil, at: .now, actor: "baton") { edit in
                guard edit.image.status == .saving else { return }
                let serves = edit.entries.contains { entry in
                    if case .kept(let listed, _) = entry { listed.location.state.status.serves } else { false }
                }
                edit.image.status = serves ? .active : .queued
                edit.upload = .abandon(upload)
            }
        } catch CatalogError.unknownImage {
            // The image was deleted meanwhile, so nothing needs to be undone.
        } catch {
            logger.error(
                "upload.cleanup_failed: A failed upload could not be undone.",
                metadata: ["image": "\(image)", "error": "\(error)"])
        }
    }
}
