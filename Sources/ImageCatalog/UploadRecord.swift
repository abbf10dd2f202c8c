package import FoundationEssentials
package import ImageModel

/// A file that an upload wrote, or is writing, into a backend.
package struct UploadRecord: Sendable, Equatable {
    /// The state of an upload.
    package enum State: String, Sendable, Equatable, CaseIterable {
        /// Bytes are being received.
        case receiving
        /// The file is complete.
        case stored
        /// The file is being deleted.
        case removing
    }

    package let file: UploadPath
    /// The image that it was uploaded for, which may have been deleted.
    package let image: ImageID
    /// The image's owner at the time of the upload.
    package let owner: String?
    /// The size in bytes. While bytes are being received it is the announced size; 0 if none was announced.
    package let size: Int64
    package let state: State
    package let createdAt: Date
    /// Whether no location uses it.
    package let isOrphan: Bool
    /// The time at which it will be deleted; nil while none is set.
    package let expiresAt: Date?
}

/// The location of an upload's file.
package struct UploadPath: Sendable, Hashable {
    package let backend: BackendID
    /// The path in the backend.
    package let path: String

    package init(backend: BackendID, path: String) {
        self.backend = backend
        self.path = path
    }
}

/// A step of an image's upload.
package enum UploadStep: Sendable, Equatable {
    /// The upload begins.
    case begin(UploadPath, announced: Int64?, ProjectQuota)
    /// The file is complete.
    case finish(UploadPath, size: Int64, ProjectQuota)
    /// The upload failed and left no file.
    case abandon(UploadPath)
}

/// The quotas of one project. Images without a project share one quota.
package struct ProjectQuota: Sendable, Equatable {
    /// The limit on images; nil for no limit.
    package var images: Int?
    /// The limit on uploaded bytes; nil for no limit.
    package var bytes: Int64?

    package init(images: Int? = nil, bytes: Int64? = nil) {
        self.images = images
        self.bytes = bytes
    }
}

/// The number of uploads and their bytes.
package struct UploadStatistics: Sendable, Equatable {
    package struct Count: Sendable, Equatable {
        package let files: Int
        package let bytes: Int64
    }

    /// Uploads that a location uses, or that are being received.
    package let used: Count
    /// Uploads that no location uses, and that are not deleted yet.
    package let orphaned: Count
}

/// The filters and the page of a list of uploads, ordered by path.
package struct UploadQuery: Sendable, Equatable {
    /// The largest number of uploads; 0 or more.
    package var limit: Int
    /// The path after which the page begins; nil for the first page.
    package var marker: String?
    /// Whether to list only uploads that no location uses.
    package var onlyOrphans: Bool

    package init(limit: Int, marker: String? = nil, onlyOrphans: Bool = false) {
        self.limit = limit
        self.marker = marker
        self.onlyOrphans = onlyOrphans
    }
}
