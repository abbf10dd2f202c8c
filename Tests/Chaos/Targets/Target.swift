import ChaosPlan
import FaultyOrigin

/// The storage of some lanes' images, and the faults that can be injected into it.
protocol Target: Sendable {
    /// The sections of Baton's configuration by backend id, without those of the FaultyOrigins.
    var backends: [String: String] { get }
    /// The environment that Baton is started with.
    var environment: [String: String] { get }
    /// The command that wraps Baton, with its arguments; empty where none is needed.
    var wrapper: [String] { get }

    /// Stores content so that the target serves it.
    /// - Returns: the URLs of its locations there, in the order in which they are to be tried.
    func store(_ content: PatternedContent, as name: String, lane: Int) async throws -> [String]

    /// Injects the plan's fault; called on the client's thread, in the middle of its download.
    func inject(_ plan: PlannedDownload, _ image: StoredImage) throws

    /// Undoes the fault when the download is over.
    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws
}

extension Target {
    var environment: [String: String] { [:] }
    var wrapper: [String] { [] }
}

/// Why this machine cannot provide a target or a peer.
struct Unavailable: Error {
    let reason: String
}
