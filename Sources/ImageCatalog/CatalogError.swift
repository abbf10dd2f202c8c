package import ImageModel

/// The reason why a catalog operation failed; one sentence for a person.
package enum CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownImage(ImageID)
    case imageExists(ImageID)
    /// A deleted image had that id. Its clients would mistake the new image's bytes for those of the deleted one.
    case formerImage(ImageID)
    case protectedImage(ImageID)
    case unknownMarker(ImageID)
    case memberExists(ImageID, project: String)
    case unknownMember(ImageID, project: String)
    case unknownLocation(LocationID)
    case duplicateLocation(LocationID)
    /// The size or a digest differs from the representation's.
    case differentContent(declared: String, existing: String)
    /// The content of the location is not known yet.
    case unidentified(LocationID)
    case illegalEvent(IllegalLocationEvent)
    /// A suspect location is not taken out of service if it is the last active one.
    case lastActive(LocationID)
    /// The last active location of an image is not deleted without force.
    case lastActiveDeletion(LocationID)
    /// A project has reached its quota.
    case overQuota(Quota)
    /// The file of an earlier upload of the image is being deleted.
    case uploadRemoved(ImageID)
    /// The disk is full.
    case diskFull(path: String)
    /// Another process has locked the file.
    case busy(path: String)
    /// The file is damaged, or it is not a catalog.
    case damaged(path: String, message: String)
    /// A later version of Baton has written the file.
    case newerSchema(path: String)
    /// The file can't be opened, read or written.
    case unusable(path: String, message: String)

    /// The exhausted quota.
    package enum Quota: Sendable, Equatable {
        /// The number of images.
        case images(limit: Int)
        /// The bytes of uploads.
        case bytes(limit: Int64)
    }

    /// Whether the service is the cause, and not the request.
    package var isServerFault: Bool {
        switch self {
        case .diskFull, .busy, .damaged, .newerSchema, .unusable: true
        default: false
        }
    }

    /// What failed, where, and the remedy.
    package var description: String {
        switch self {
        case .unknownImage(let id): "There is no image \(id)."
        case .imageExists(let id): "The image \(id) already exists: choose another id, or leave the id out."
        case .formerImage(let id): "The id \(id) belonged to a deleted image: choose another id, or leave the id out."
        case .protectedImage(let id): "The image \(id) is protected: set protected to false before you delete it."
        case .unknownMarker(let id): "The marker \(id) is not an image of the list: start again without a marker."
        case .memberExists(let id, let project):
            "The image \(id) is already shared with the project \(project.excerpt(64))."
        case .unknownMember(let id, let project): "The image \(id) is not shared with the project \(project.excerpt(64))."
        case .unknownLocation(let id): "There is no location \(id)."
        case .duplicateLocation(let id): "The image already has this location: it is registered as \(id)."
        case .differentContent(let declared, let existing):
            "The location has other content (\(declared)) than the image's locations of that format (\(existing)): "
                + "register it with another image or format."
        case .unidentified(let id): "The location \(id) must be read in full before it can serve: verify it."
        case .illegalEvent(let error): "The event is not possible: \(error)."
        case .lastActive(let id): "The location \(id) is the last active one of its image and stays in service."
        case .lastActiveDeletion(let id):
            "The location \(id) is the last active one of its image: add another one first, or delete it with force=true."
        case .overQuota(.images(let limit)):
            "The project has reached its quota of \(limit) images: delete one, or ask the operator to raise quotas.images."
        case .overQuota(.bytes(let limit)):
            "The project's uploads would exceed its quota of \(limit) bytes: delete images, or ask the operator to raise "
                + "quotas.bytes."
        case .uploadRemoved(let id):
            "The file of an earlier upload of the image \(id) is being deleted: wait for a minute, then upload the image again."
        case .diskFull(let path): "The disk of the catalog \(path) is full: free some space. The stored data is intact."
        case .busy(let path): "The catalog \(path) is in use by another process: stop it, or try again."
        case .damaged(let path, let message):
            "The catalog \(path) is damaged or not a catalog (\(message)): restore it from a backup, or choose another path."
        case .newerSchema(let path):
            "The catalog \(path) was written by a later version of Baton: update, or choose another path."
        case .unusable(let path, let message):
            "The catalog \(path) can't be used (\(message)): check the path and its permissions."
        }
    }
}
