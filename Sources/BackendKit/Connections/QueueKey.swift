/// For whom a connection is wanted; decides whose turn it is where a backend takes so many at a time.
package struct QueueKey: Sendable, Hashable {
    /// Who goes before whom.
    package enum Rank: Sendable, Hashable {
        /// Somebody waits for it: downloads, and questions about an object.
        case foreground
        /// Full reads of single locations: they begin when nobody of the foreground waits, and make room when one does.
        case background
    }

    /// Who goes before whom.
    package let rank: Rank
    /// Those who have turns: a caller, then an image of that caller's.
    let path: [String]
    /// Whether it is for a download that has begun: it was interrupted, and its client waits in the middle of the image.
    package private(set) var isResuming = false

    private init(rank: Rank, path: [String]) {
        self.rank = rank
        self.path = path
    }

    /// The first of those who have turns.
    var caller: String { path.first ?? "" }

    /// Whether a connection that was given for it can be asked back for the sake of others.
    var yields: Bool { rank == .foreground && self != .probe }

    /// The same wish, in the middle of the download.
    package func resumed() -> QueueKey {
        var queueKey = self
        queueKey.isResuming = true
        return queueKey
    }

    /// A download.
    /// - Parameter caller: who asked for it.
    package static func download(by caller: String, of image: String) -> QueueKey {
        QueueKey(rank: .foreground, path: [caller, image])
    }

    /// A question about one object, asked by Baton itself.
    package static let probe = QueueKey(rank: .foreground, path: ["", ""])

    /// A full read of a location of that image.
    package static func maintenance(of image: String) -> QueueKey { QueueKey(rank: .background, path: [image]) }
}
