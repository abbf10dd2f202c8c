package import BackendKit
import FoundationEssentials
package import ImageCatalog
package import ImageModel
package import Logging

/// Makes places locations of images, whichever way they come: declared by an operator, given by a client of Glance with a patch or an
/// import, or written by an upload. What it begins it finishes or undoes.
package struct LocationRegistrar: Sendable {
    /// Why a place does not become a location.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        /// Whose fault it is.
        package enum Kind: Sendable {
            /// The request's.
            case invalid
            /// The image's state forbids it.
            case conflict
            /// The image's state changed before it was done.
            case gone
        }

        /// Whose fault it is.
        package let kind: Kind
        /// One sentence for a person.
        package let description: String
    }

    private let catalog: any CatalogStore & ImageStore
    private let activate: @Sendable (Location) async throws -> (location: Location, problem: AttemptFailure?)
    private let examination: @Sendable (ProposedLocation) async throws -> NewLocation
    private let admission: @Sendable (_ location: Location, _ inFull: Bool) async throws -> Location

    /// - Parameters:
    ///   - activation: activates what is in order.
    ///   - verifications: reads in full what nobody has declared.
    ///   - probe: asks an object for its size.
    package init(
        catalog: any CatalogStore & ImageStore, activation: LocationActivation, verifications: VerificationQueue,
        probe: ObjectProbe
    ) {
        let admission = Admission(catalog: catalog, activation: activation, verifications: verifications, probe: probe)
        self.init(
            catalog: catalog, activate: activation.activate, examine: admission.examine,
            admit: { try await admission.admit($0, inFull: $1) })
    }

    /// A registrar that asks no backend itself.
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

// Declared by an operator.
extension LocationRegistrar {
    /// Registers a location and activates it if it is in order.
    /// - Returns: the location as it is then, and what is wrong with it if it is still pending for that.
    /// - Throws: `CatalogError`.
    package func register(
        _ new: NewLocation, actor: String
    ) async throws -> (location: Location, problem: AttemptFailure?) {
        try await activate(
            try await catalog.addLocation(new, id: LocationID(), at: .now, actor: actor, reason: "registered"))
    }
}

// Given by a client of Glance.
extension LocationRegistrar {
    /// Looks at a place before anything is stored, and finds out what the client did not say.
    /// - Throws: `Refusal` when it can't be a location.
    package func examine(_ proposed: ProposedLocation) async throws -> NewLocation { try await examination(proposed) }

    /// Brings registered locations to service, as far as that is possible now: with a probe, or for small objects with a verification
    /// that is waited for up to a few seconds.
    /// - Throws: `Refusal` when one of them can't serve; all of them are forgotten then.
    package func admit(_ locations: [Location]) async throws {
        do {
            for location in locations { _ = try await admission(location, false) }
        } catch {
            try await catalog.forget(locations.map(\.id))
            throw error
        }
    }

    /// - Throws: `Refusal` unless the image takes a location by an import.
    package static func requireQueued(_ image: Image) throws(Refusal) {
        guard image.status == .queued else {
            throw Refusal(
                kind: .conflict, description: "A location can't be added while the image is \(image.status.rawValue).")
        }
    }

    /// Takes an image for one import alone, and writes the task down.
    /// - Parameter describe: what the image's owner is told of an error.
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

    /// Imports a location: looks at it, registers it, and has it read in full. If that fails, the image is queued again.
    /// - Parameters:
    ///   - task: as it was begun; it says in the end how the import went.
    ///   - describe: what the image's owner is told of an error.
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
            // Deleted meanwhile: there is nothing left to put back.
        } catch {
            logger.error(
                "import.cleanup_failed: A failed import could not be undone.",
                metadata: ["image": "\(task.image)", "error": "\(error)"])
        }
    }
}

// Written by an upload.
extension LocationRegistrar {
    /// Takes an image for one upload alone, as part of a change of the image.
    /// - Throws: `Refusal` unless the image takes an upload.
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

    /// Makes an uploaded file a location that serves, and its image active, in one transaction.
    /// - Parameters:
    ///   - url: the file's.
    ///   - validator: what pins the file, as its backend sees it.
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

    /// Puts an image back whose upload failed.
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
            // Deleted meanwhile: there is nothing left to put back.
        } catch {
            logger.error(
                "upload.cleanup_failed: A failed upload could not be undone.",
                metadata: ["image": "\(image)", "error": "\(error)"])
        }
    }
}

/// Lets a location in as Glance's clients expect it: what they say of its bytes is taken for declared, and what they don't say is
/// read. A small object is verified by the time they are answered; a large one comes to serve behind the answer.
private struct Admission: Sendable {
    let catalog: any CatalogStore
    let activation: LocationActivation
    let verifications: VerificationQueue
    let probe: ObjectProbe

    /// How long an answer may wait for a full read.
    private static let timeout: Duration = .seconds(10)
    /// How long an import, for which nobody waits, may take to be read.
    private static let importTimeout: Duration = .seconds(86_400)

    /// Asks the backend for the size; with a declared digest it is all that is needed to serve.
    func examine(_ proposed: ProposedLocation) async throws -> NewLocation {
        // Where its server does not say, a full read finds it out.
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

    /// Probes it, or waits for its full read.
    /// - Parameter inFull: whether a probe is not enough, whatever was declared.
    /// - Returns: the location as it is then; still pending if its verification goes on.
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
    /// A location whose object can't be read.
    fileprivate init(unreadable failure: AttemptFailure) {
        self.init(kind: .invalid, description: "Invalid location: it can't be read (\(failure.description)).")
    }
}
