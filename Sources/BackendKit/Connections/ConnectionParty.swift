/// For whom a connection is wanted; decides whose turn it is where a backend takes so many at a time.
public struct ConnectionParty: Sendable, Hashable {
    /// Who goes before whom.
    public enum Rank: Sendable, Hashable {
        /// Somebody waits for it: downloads, and questions about an object.
        case foreground
        /// Full reads of single locations: they begin when nobody of the foreground waits, and make room when one does.
        case background
    }

    /// Who goes before whom.
    public let rank: Rank
    /// Those who have turns: a caller, then an image of that caller's.
    let path: [String]
    /// Whether it is for a download that has begun: it was interrupted, and its client waits in the middle of the image.
    public private(set) var isResuming = false

    private init(rank: Rank, path: [String]) {
        self.rank = rank
        self.path = path
    }

    /// The first of those who have turns.
    var caller: String { path.first ?? "" }

    /// Whether a connection that was given for it can be asked back for the sake of others.
    var yields: Bool { rank == .foreground && self != .inquiry }

    /// The same wish, in the middle of the download.
    public func resumed() -> ConnectionParty {
        var party = self
        party.isResuming = true
        return party
    }

    /// A download.
    /// - Parameter caller: who asked for it.
    public static func download(by caller: String, of image: String) -> ConnectionParty {
        ConnectionParty(rank: .foreground, path: [caller, image])
    }

    /// A question about one object, asked by Baton itself.
    public static let inquiry = ConnectionParty(rank: .foreground, path: ["", ""])

    /// A full read of a location of that image.
    public static func upkeep(of image: String) -> ConnectionParty { ConnectionParty(rank: .background, path: [image]) }
}
