import ChaosPlan
import FaultyOrigin

/// A program that delivers images from several locations to a client: Baton, or one that it is compared with.
protocol Peer: Sendable {
    var name: String { get }

    /// Registers an image and reads it once undisturbed.
    func prepare(_ image: StoredImage) async throws

    /// Waits until all locations of an image serve again after one of them served wrong bytes in a download.
    func settle(_ image: StoredImage, after reading: Reading) async throws

    /// Carries out a planned download.
    /// - Parameter inject: called when the client reaches the plan's external injection.
    func read(_ plan: PlannedDownload, _ image: StoredImage, inject: @escaping @Sendable () throws -> Void) async throws
        -> Reading
}

/// A peer failed to serve an image before any fault was injected.
struct Unfit: Error, CustomStringConvertible {
    let peer: String
    let image: String
    let remark: String
    var description: String { "\(peer) did not serve \(image) undisturbed: \(remark)" }
}

extension Peer {
    func settle(_ image: StoredImage, after reading: Reading) {}

    func readUndisturbed(_ image: StoredImage) async throws {
        let reading = try await read(.undisturbed(image.content.size), image) {}
        guard reading.outcome == .exact else { throw Unfit(peer: name, image: image.name, remark: reading.remark) }
    }
}
