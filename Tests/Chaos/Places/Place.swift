import ChaosPlan
import FaultyOrigin

/// Where the images of some lanes lie, and what can be done to it.
protocol Place: Sendable {
    /// The sections of Baton's configuration, by the backends' ids; those of the FaultyOrigins left out.
    var backends: [String: String] { get }
    /// What Baton is started with.
    var environment: [String: String] { get }
    /// The command that starts it, with its arguments; empty where none is needed.
    var wrapper: [String] { get }

    /// Puts a content where it shall be served from.
    /// - Returns: the URLs of its locations there, in the order in which they are to be asked.
    func place(_ content: PatternedContent, as name: String, lane: Int) async throws -> [String]

    /// Does the fault's deed; called on the client's thread, in the middle of its download.
    func strike(_ plan: PlannedDownload, _ image: StoredImage) throws

    /// Puts right what was done, when the download is over.
    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws
}

extension Place {
    var environment: [String: String] { [:] }
    var wrapper: [String] { [] }
}

/// Why a place is not to be had on this machine.
struct Unavailable: Error {
    let reason: String
}
