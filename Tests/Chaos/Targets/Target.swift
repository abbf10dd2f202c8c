import ChaosPlan
import FaultyOrigin
import Servers

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

/// Three FaultyOrigins. The injector injects their faults itself.
struct OriginsTarget: Target {
    let origins: [FaultyOrigin]
    let injector: FaultInjector

    var backends: [String: String] { [:] }

    /// Lanes begin at different origins.
    func store(_ content: PatternedContent, as name: String, lane: Int) -> [String] {
        injector.serve(content, at: name)
        return origins.indices.map { origins[($0 + lane) % origins.count].url(name) }
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) {}
    func repair(_ plan: PlannedDownload, _ image: StoredImage) {}
}

/// An image of one lane, as stored at its locations.
struct StoredImage: Sendable {
    /// Its name in the stores.
    let name: String
    let content: PatternedContent
    let sha256: String
    /// The locations' URLs, in the order in which they are to be tried.
    let urls: [String]

    /// Stores an image of a lane at its target.
    /// - Parameters:
    ///   - run: keeps the images of several runs apart.
    ///   - seed: makes its bytes unlike any other image's, so that none can be taken for another.
    init(of lane: Schedule.Lane, size: Int64, in target: any Target, run: String, seed: UInt64) async throws {
        name = "\(run)-lane\(lane.number)-\(size)"
        content = PatternedContent(size: size, seed: seed &+ UInt64(lane.number) << 40 &+ UInt64(size))
        sha256 = content.sha256
        urls = try await target.store(content, as: name, lane: lane.number)
    }
}
