package import FoundationEssentials
package import ImageModel

/// A configured backend, and the health that this process has measured.
package struct BackendDocument: ListedDocument {
    package static let listName = "backends"

    /// The breaker of a backend.
    package struct Breaker: Codable, Equatable, Sendable {
        /// `closed`, `open` or `half-open`.
        package let state: String
        /// The number of consecutive failures.
        package let failures: Int
        /// The time from which the next read is a probe.
        @Nullable package var probeDueAt: Timestamp?

        package init(state: String, failures: Int, probeDueAt: Date?) {
            self.state = state
            self.failures = failures
            self.probeDueAt = probeDueAt.map { Timestamp($0) }
        }

        private enum CodingKeys: String, CodingKey {
            case state, failures
            case probeDueAt = "probe_due_at"
        }
    }

    package let id: String
    /// The URL that its locations begin with.
    package let url: String
    /// The number of running reads.
    package let running: Int
    /// The average time to the first byte; nil if none was measured.
    @Nullable package var firstByteSeconds: Double?
    /// The average throughput; nil if none was measured.
    @Nullable package var bytesPerSecond: Double?
    /// The end of the pause that the backend asked for.
    @Nullable package var restsUntil: Timestamp?
    package let breaker: Breaker

    package init(
        id: BackendID, url: String, running: Int, firstByteSeconds: Double?, bytesPerSecond: Double?, restsUntil: Date?,
        breaker: Breaker
    ) {
        self.id = id.name
        self.url = url
        self.running = running
        self.firstByteSeconds = firstByteSeconds
        self.bytesPerSecond = bytesPerSecond
        self.restsUntil = restsUntil.map { Timestamp($0) }
        self.breaker = breaker
    }

    package var textSize: Int { 250 + id.utf8.count + url.utf8.count }

    private enum CodingKeys: String, CodingKey {
        case id, url, running, breaker
        case firstByteSeconds = "first_byte_seconds"
        case bytesPerSecond = "bytes_per_second"
        case restsUntil = "rests_until"
    }
}

/// A file that an upload wrote.
package struct UploadDocument: ListedDocument {
    package static let listName = "uploads"
    /// The state of a file that the server has no record of.
    package static let unknownState = "unknown"

    /// The id of the backend that holds it.
    package let backend: String
    /// The path in the backend.
    package let path: String
    /// The id of the image that it was uploaded for.
    package let image: String
    /// The project that owned the image; nil if there was none.
    @Nullable package var owner: String?
    /// The size in bytes.
    package let size: Int64
    /// `receiving`, `stored`, `removing`, or `unknownState`.
    package let state: String
    /// Whether no image refers to it.
    package let isOrphan: Bool
    /// The time at which the upload began; nil if unknown.
    @Nullable package var createdAt: Timestamp?
    /// The time at which the server will delete it; nil if it will not.
    @Nullable package var expiresAt: Timestamp?

    package init(
        backend: BackendID, path: String, image: String, owner: String?, size: Int64, state: String, isOrphan: Bool,
        createdAt: Date?, expiresAt: Date?
    ) {
        self.backend = backend.name
        self.path = path
        self.image = image
        self.owner = owner
        self.size = size
        self.state = state
        self.isOrphan = isOrphan
        self.createdAt = createdAt.map { Timestamp($0) }
        self.expiresAt = expiresAt.map { Timestamp($0) }
    }

    package var textSize: Int {
        [backend, path, image, owner ?? "", state].reduce(200) { $0 + $1.utf8.count }
    }

    private enum CodingKeys: String, CodingKey {
        case backend, path, image, owner, size, state
        case isOrphan = "orphaned"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
    }
}
