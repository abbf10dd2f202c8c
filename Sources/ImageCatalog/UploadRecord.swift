package import FoundationEssentials
package import ImageModel

/// A file that an upload wrote, or is writing, into a backend.
package struct UploadRecord: Sendable, Equatable {
    /// How far it is.
    package enum State: String, Sendable, Equatable, CaseIterable {
        /// Its bytes are coming in.
        case receiving
        /// It is whole.
        case stored
        /// It is being deleted.
        case removing
    }

    /// Where it lies.
    package let place: UploadPath
    /// The image that it was uploaded for, which may have been deleted.
    package let image: ImageID
    /// The image's owner when it was uploaded.
    package let owner: String?
    /// Its size in bytes; while it is being received, the size that was announced, 0 if none was.
    package let size: Int64
    /// How far it is.
    package let state: State
    /// When the upload began.
    package let createdAt: Date
    /// Whether no location has it any more.
    package let isOrphan: Bool
    /// When it will be deleted; nil as long as nothing has decided that.
    package let expiresAt: Date?
}

/// Where an upload's file lies.
package struct UploadPath: Sendable, Hashable {
    /// The backend that uploads go to.
    package let backend: BackendID
    /// Where in it.
    package let path: String

    /// A place with every property given.
    package init(backend: BackendID, path: String) {
        self.backend = backend
        self.path = path
    }
}

/// What a change of an image says of its upload.
package enum UploadStep: Sendable, Equatable {
    /// Its bytes begin to come in.
    case begin(UploadPath, announced: Int64?, ProjectQuota)
    /// The file is whole.
    case finish(UploadPath, size: Int64, ProjectQuota)
    /// It failed, and left no file.
    case abandon(UploadPath)
}

/// What one project may have; images without a project share one quota.
package struct ProjectQuota: Sendable, Equatable {
    /// The most images; nil for any number.
    package var images: Int?
    /// The most bytes of uploads; nil for any number.
    package var bytes: Int64?

    /// A quota with every property given.
    package init(images: Int? = nil, bytes: Int64? = nil) {
        self.images = images
        self.bytes = bytes
    }
}

/// How many uploads there are, and how many bytes.
package struct UploadStatistics: Sendable, Equatable {
    /// A number of files and their bytes.
    package struct Count: Sendable, Equatable {
        /// Files.
        package let files: Int
        /// Bytes.
        package let bytes: Int64
    }

    /// Those that a location has, or that are being received.
    package let used: Count
    /// Those that no location has any more, and that are not deleted yet.
    package let orphaned: Count
}

/// Which uploads a list shows, by their paths.
package struct UploadQuery: Sendable, Equatable {
    /// At most so many; from 0.
    package var limit: Int
    /// Begin behind this path.
    package var marker: String?
    /// Only those that no location has.
    package var onlyOrphans: Bool

    /// A query with every property given.
    package init(limit: Int, marker: String? = nil, onlyOrphans: Bool = false) {
        self.limit = limit
        self.marker = marker
        self.onlyOrphans = onlyOrphans
    }
}

/// The part of the catalog that knows which files uploads wrote. Every operation is one transaction.
package protocol UploadStore: Sendable {
    /// The uploads of a backend in the order of their paths.
    func uploads(in backend: BackendID, _ query: UploadQuery) async throws -> [UploadRecord]
    /// Which of these paths of a backend neither an upload nor a location has.
    func unknownPaths(among paths: [String], in backend: BackendID) async throws -> [String]
    /// Counts them.
    func uploadStatistics() async throws -> UploadStatistics
    /// The bytes of uploads that count against the quota of a project.
    func uploadedBytes(of owner: String?) async throws -> Int64
    /// Sets the end of uploads that no location has any more, and takes back that of others. Whose end has come is marked `removing`.
    /// - Parameter delay: from the end of an image to that of its upload. One whose location waited to be deleted waits no longer.
    /// - Returns: those whose files are to be deleted now.
    func expireUploads(in backend: BackendID, at time: Date, delay: Duration) async throws -> [UploadPath]
    /// Forgets an upload whose file has been deleted.
    func forgetUpload(_ place: UploadPath) async throws
    /// Whether an image has that id, or a deleted one had it.
    func hasUsed(_ id: ImageID) async throws -> Bool
}
