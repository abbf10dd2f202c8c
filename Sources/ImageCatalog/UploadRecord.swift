public import FoundationEssentials
public import ImageModel

/// A file that an upload wrote, or is writing, into a backend.
public struct UploadRecord: Sendable, Equatable {
    /// How far it is.
    public enum State: String, Sendable, Equatable, CaseIterable {
        /// Its bytes are coming in.
        case receiving
        /// It is whole.
        case stored
        /// It is being deleted.
        case removing
    }

    /// Where it lies.
    public let place: UploadPlace
    /// The image that it was uploaded for, which may have been deleted.
    public let image: ImageID
    /// The image's owner when it was uploaded.
    public let owner: String?
    /// Its size in bytes; while it is being received, the size that was announced, 0 if none was.
    public let size: Int64
    /// How far it is.
    public let state: State
    /// When the upload began.
    public let createdAt: Date
    /// Whether no location has it any more.
    public let isOrphan: Bool
    /// When it will be deleted; nil as long as nothing has decided that.
    public let expiresAt: Date?
}

/// Where an upload's file lies.
public struct UploadPlace: Sendable, Hashable {
    /// The backend that uploads go to.
    public let backend: BackendID
    /// Where in it.
    public let path: String

    /// A place with every property given.
    public init(backend: BackendID, path: String) {
        self.backend = backend
        self.path = path
    }
}

/// What a change of an image says of its upload.
public enum UploadStep: Sendable, Equatable {
    /// Its bytes begin to come in.
    case begin(UploadPlace, announced: Int64?, ProjectQuota)
    /// The file is whole.
    case finish(UploadPlace, size: Int64, ProjectQuota)
    /// It failed, and left no file.
    case abandon(UploadPlace)
}

/// What one project may have; images without a project share one quota.
public struct ProjectQuota: Sendable, Equatable {
    /// The most images; nil for any number.
    public var images: Int?
    /// The most bytes of uploads; nil for any number.
    public var bytes: Int64?

    /// A quota with every property given.
    public init(images: Int? = nil, bytes: Int64? = nil) {
        self.images = images
        self.bytes = bytes
    }
}

/// How many uploads there are, and how many bytes.
public struct UploadCensus: Sendable, Equatable {
    /// A number of files and their bytes.
    public struct Count: Sendable, Equatable {
        /// Files.
        public let files: Int
        /// Bytes.
        public let bytes: Int64
    }

    /// Those that a location has, or that are being received.
    public let used: Count
    /// Those that no location has any more, and that are not deleted yet.
    public let orphaned: Count
}

/// Which uploads a list shows, by their paths.
public struct UploadQuery: Sendable, Equatable {
    /// At most so many; from 0.
    public var limit: Int
    /// Begin behind this path.
    public var marker: String?
    /// Only those that no location has.
    public var onlyOrphans: Bool

    /// A query with every property given.
    public init(limit: Int, marker: String? = nil, onlyOrphans: Bool = false) {
        self.limit = limit
        self.marker = marker
        self.onlyOrphans = onlyOrphans
    }
}

/// The part of the catalog that knows which files uploads wrote. Every operation is one transaction.
public protocol UploadStore: Sendable {
    /// The uploads of a backend in the order of their paths.
    func uploads(in backend: BackendID, _ query: UploadQuery) async throws -> [UploadRecord]
    /// Which of these paths of a backend neither an upload nor a location has.
    func unknownPaths(among paths: [String], in backend: BackendID) async throws -> [String]
    /// Counts them.
    func uploadCensus() async throws -> UploadCensus
    /// The bytes of uploads that count against the quota of a project.
    func uploadedBytes(of owner: String?) async throws -> Int64
    /// Sets the end of uploads that no location has any more, and takes back that of others. Whose end has come is marked `removing`.
    /// - Parameter delay: from the end of an image to that of its upload. One whose location waited to be deleted waits no longer.
    /// - Returns: those whose files are to be deleted now.
    func expireUploads(in backend: BackendID, at time: Date, delay: Duration) async throws -> [UploadPlace]
    /// Forgets an upload whose file has been deleted.
    func forgetUpload(_ place: UploadPlace) async throws
    /// Whether an image has that id, or a deleted one had it.
    func hasUsed(_ id: ImageID) async throws -> Bool
}
