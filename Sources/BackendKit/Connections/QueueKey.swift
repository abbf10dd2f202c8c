/// The party that requests a connection. It decides the order in which a backend's limited connections are granted.
package struct QueueKey: Sendable, Hashable {
    /// The precedence of a request.
    package enum Rank: Sendable, Hashable {
        /// Downloads, and probes of an object: a client waits for the result.
        case foreground
        /// Full reads of single locations. They begin when no foreground request waits, and give way when one does.
        case background
    }

    package let rank: Rank
    /// The parties that take turns: a caller, then an image of that caller.
    let path: [String]
    /// Whether the request is for a download that has begun: it was interrupted, and its client waits in the middle of the
    /// image.
    package private(set) var isResuming = false

    private init(rank: Rank, path: [String]) {
        self.rank = rank
        self.path = path
    }

    /// The first element of the path.
    var caller: String { path.first ?? "" }

    /// Whether a connection granted to this key can be reclaimed for other downloads.
    var yields: Bool { rank == .foreground && self != .probe }

    /// The same key, in the middle of the download.
    package func resumed() -> QueueKey {
        var queueKey = self
        queueKey.isResuming = true
        return queueKey
    }

    /// The key of a download.
    /// - Parameter caller: the caller's name.
    package static func download(by caller: String, of image: String) -> QueueKey {
        QueueKey(rank: .foreground, path: [caller, image])
    }

    /// The key of a probe, which Baton itself makes.
    package static let probe = QueueKey(rank: .foreground, path: ["", ""])

    /// The key of a full read of one of the image's locations.
    package static func maintenance(of image: String) -> QueueKey { QueueKey(rank: .background, path: [image]) }
}
