import ChaosPlan
import FaultyOrigin
import Servers

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
