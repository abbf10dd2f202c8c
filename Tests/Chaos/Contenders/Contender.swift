import ChaosPlan
import FaultyOrigin

/// Something that gets images from several locations to a client: Baton, or what there is beside it.
protocol Contender: Sendable {
    var name: String { get }

    /// Makes an image known, and reads it once undisturbed.
    func prepare(_ image: StoredImage) async throws

    /// Waits until all locations of an image serve again, after one of them was wrong in a download.
    func settle(_ image: StoredImage, after reading: Reading) async throws

    /// Carries out a planned download.
    /// - Parameter deed: what is done when the client has got to the plan's deed.
    func read(_ plan: PlannedDownload, _ image: StoredImage, deed: @escaping @Sendable () throws -> Void) async throws
        -> Reading
}

/// Something did not serve before anything was done to it.
struct Unfit: Error, CustomStringConvertible {
    let contender: String
    let image: String
    let remark: String
    var description: String { "\(contender) did not serve \(image) undisturbed: \(remark)" }
}

extension Contender {
    func settle(_ image: StoredImage, after reading: Reading) {}

    func readUndisturbed(_ image: StoredImage) async throws {
        let reading = try await read(.undisturbed(image.content.size), image) {}
        guard reading.outcome == .exact else { throw Unfit(contender: name, image: image.name, remark: reading.remark) }
    }
}
