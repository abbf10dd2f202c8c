import ChaosPlan
import FaultyOrigin
import Servers

/// An image of one lane, as it lies at its locations.
struct StoredImage: Sendable {
    /// What the stores know it by.
    let name: String
    let content: PatternedContent
    let sha256: String
    /// The locations' URLs, in the order in which they are to be asked.
    let urls: [String]

    /// Puts an image of a lane where it belongs.
    /// - Parameters:
    ///   - run: keeps the images of several runs apart.
    ///   - seed: makes its bytes like no other image's, so that none can be taken for another.
    init(of lane: Schedule.Lane, size: Int64, in place: any Place, run: String, seed: UInt64) async throws {
        name = "\(run)-lane\(lane.number)-\(size)"
        content = PatternedContent(size: size, seed: seed &+ UInt64(lane.number) << 40 &+ UInt64(size))
        sha256 = content.sha256
        urls = try await place.place(content, as: name, lane: lane.number)
    }
}
