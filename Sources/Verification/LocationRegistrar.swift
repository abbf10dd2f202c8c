package import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import LocationLifecycle
package import Logging

/// Registers locations of images, for every way of registering: by an operator, by a patch or an import of a Glance client, or by an
/// upload. A registration that was begun is finished or undone.
package struct LocationRegistrar: Sendable {
    /// The reason why a location is not registered.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
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

    private let catalog: any CatalogStore & ImageStore
    private let activate: @Sendable (Location) async throws -> (location: Location, problem: AttemptFailure?)
    private let examination: @Sendable (ProposedLocation) async throws -> NewLocation
    private let admission: @Sendable (_ location: Location, _ inFull: Bool) async throws -> Location

    /// - Parameters:
    ///   - activation: activates locations that pass a probe.
    ///   - verifications: reads locations in full if no digest is declared.
    ///   - probe: finds the size of objects.
    package init(
        catalog: any CatalogStore & ImageStore, activation: LocationActivation, verifications: VerificationQueue,
        probe: ObjectProbe
    ) {
        let admission = Admission(catalog: catalog, activation: activation, verifications: verifications, probe: probe)
        self.init(
            catalog: catalog, activate: activation.activate, examine: admission.examine,
            admit: { try await admission.admit($0, inFull: $1) })
    }

    /// A registrar whose requests to backends are replaced, for tests.
    init(
        catalog: any CatalogStore & ImageStore,
        activate: @escaping @Sendable (Location) async throws -> (location: Location, problem: AttemptFailure?),
        examine: @escaping @Sendable (ProposedLocation) async throws -> NewLocation,
        admit: @escaping @Sendable (_ location: Location, _ inFull: Bool) async throws -> Location
    ) {
        self.catalog = catalog
        self.activate = activate
        examination = examine
        admission = admit
    }
}

// Registration by an operator.
extension LocationRegistrar {
    /// Registers a location, and activates it if it passes its probe.
    /// - Returns: the resulting location, and the failure that leaves it pending, if any.
    /// - Throws: `CatalogError`.
    package func register(
        _ new: NewLocation, actor: String
    ) async throws -> (location: Location, problem: AttemptFailure?) {
        try await activate(
            try await catalog.addLocation(new, id: LocationID(), at: .now, actor: actor, reason: "registered"))
    }
}

// Registration by a Glance client.
extension LocationRegistrar {
    /// Probes a proposed location before anything is stored, and completes what the client left out.
    /// - Throws: `Refusal` if it cannot be a location.
    package func examine(_ proposed: ProposedLocation) async throws -> NewLocation { try await examination(proposed) }

    /// Activates registered locations: with a probe, or with a full read that is awaited for up to ten seconds. A longer read
    /// continues in the background.
    /// - Throws: `Refusal` if one of them cannot serve; then all of them are removed.
    package func admit(_ locations: [Location]) async throws {
        do {
            for location in locations { _ = try await admission(location, false) }
        } catch {
            try await catalog.forget(locations.map(\.id))
            throw error
        }
    }

    /// - Throws: `Refusal` unless the image's status allows an import.
    package static func requireQueued(_ image: Image) throws(Refusal) {
        guard image.status == .queued else {
            throw Refusal(
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
                throw Refusal(
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
                ProposedLocation(
                    image: task.image, backend: backend, path: path, url: url, format: format, size: nil, digests: digests,
                    metadata: [:]))
            let record = try await catalog.update(task.image, for: nil, at: .now, actor: task.user) { edit in
                guard edit.image.status == .importing, edit.image.format == format else {
                    throw Refusal(kind: .conflict, description: "The image was changed during the import.")
                }
                edit.entries.append(.new(ImageEdit.NewEntry(new)))
            }
            let pending = record.locations.map(\.location).filter { $0.url == url }
            added = pending.map(\.id)
            guard !pending.isEmpty else {
                throw Refusal(kind: .conflict, description: "The image's formats were changed during the import.")
            }
            for location in pending {
                guard try await admission(location, true).state.status.serves else {
                    throw Refusal(kind: .conflict, description: "The location was taken out before it had been read.")
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
    /// - Throws: `Refusal` unless the image's status allows an upload.
    package static func beginUpload(
        _ edit: inout ImageEdit, at place: UploadPath, announced: Int64?, _ quota: ProjectQuota
    ) throws(Refusal) {
        guard edit.image.status == .queued else {
            throw Refusal(
                kind: .conflict, description: "Only a queued image takes an upload; this one is \(edit.image.status.rawValue).")
        }
        guard edit.image.format != nil else {
            throw Refusal(
                kind: .invalid, description: "disk_format and container_format must be set before an image is uploaded.")
        }
        edit.image.status = .saving
        edit.upload = .begin(place, announced: announced, quota)
    }

    /// Registers an uploaded file as an active location and activates its image, in one transaction.
    /// - Parameters:
    ///   - url: the URL of the file.
    ///   - validator: the validator that the file's backend reports.
    package func finishUpload(
        of image: ImageID, at place: UploadPath, url: String, size: Int64, digests: DigestSet, validator: Validator?,
        _ quota: ProjectQuota, actor: String
    ) async throws {
        _ = try await catalog.update(image, for: nil, at: .now, actor: actor) { edit in
            guard edit.image.status == .saving, let format = edit.image.format else {
                throw Refusal(kind: .gone, description: "The image was changed while it was uploaded; it is not kept.")
            }
            let location = NewLocation(
                image: image, backend: place.backend, path: place.path, url: url, format: format, size: size, digests: digests)
            edit.image.status = .active
            edit.upload = .finish(place, size: size, quota)
            edit.entries.append(.new(ImageEdit.NewEntry(location, validator: validator, isActive: true)))
        }
    }

    /// Resets an image whose upload failed.
    package func undoUpload(of image: ImageID, at place: UploadPath, because error: any Error, logger: Logger) async {
        logger.warning("upload.failed: An upload failed.", metadata: ["image": "\(image)", "error": "\(error)"])
        do {
            _ = try await catalog.update(image, for: nil, at: .now, actor: "baton") { edit in
                guard edit.image.status == .saving else { return }
                let serves = edit.entries.contains { entry in
                    if case .kept(let listed, _) = entry { listed.location.state.status.serves } else { false }
                }
                edit.image.status = serves ? .active : .queued
                edit.upload = .abandon(place)
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

/// Admits a location as Glance's clients expect it. The size and digest that a client states count as declared; missing ones are
/// found by a full read. A small object is verified before the response; the read of a large one continues after it.
private struct Admission: Sendable {
    let catalog: any CatalogStore
    let activation: LocationActivation
    let verifications: VerificationQueue
    let probe: ObjectProbe

    /// How long a response may wait for a full read.
    private static let timeout: Duration = .seconds(10)
    /// How long the full read of an import may take. No client waits for it.
    private static let importTimeout: Duration = .seconds(86_400)

    /// Probes the object for its size. With a declared digest the location needs nothing else to serve.
    func examine(_ proposed: ProposedLocation) async throws -> NewLocation {
        // If the server does not state the size, a full read finds it.
        let total: Int64?
        switch await probe.head(of: proposed.path, in: proposed.backend) {
        case .success(let head): total = head.total
        case .failure(let failure): throw LocationRegistrar.Refusal(unreadable: failure)
        }
        return NewLocation(
            image: proposed.image, backend: proposed.backend, path: proposed.path, url: proposed.url, format: proposed.format,
            size: proposed.size ?? (proposed.digests.isEmpty ? nil : total), digests: proposed.digests,
            metadata: proposed.metadata)
    }

    /// Probes the location, or waits for its full read.
    /// - Parameter inFull: whether a full read is required even if a digest is declared.
    /// - Returns: the resulting location; still pending if its verification continues.
    func admit(_ location: Location, inFull: Bool) async throws -> Location {
        var activated = location
        if !inFull {
            let (probed, problem) = try await activation.activate(location)
            if let problem, problem.reason != .sizeUnstated { throw LocationRegistrar.Refusal(unreadable: problem) }
            guard probed.state.status == .pending else { return probed }
            activated = probed
        }
        await verifications.verify(location.id, within: inFull ? Self.importTimeout : Self.timeout)
        guard let read = try await catalog.location(location.id) else { return activated }
        guard read.failedReads == 0 else {
            throw LocationRegistrar.Refusal(
                kind: .invalid,
                description: "Invalid location: it was read, and its content is not the image's or can't be read.")
        }
        return read
    }
}

extension LocationRegistrar.Refusal {
    /// The refusal of a location whose object cannot be read.
    fileprivate init(unreadable failure: AttemptFailure) {
        self.init(kind: .invalid, description: "Invalid location: it can't be read (\(failure.description)).")
    }
}
