import ChaosPlan
import FaultyOrigin

/// Three FaultyOrigins. What happens there the storm does by itself.
struct OriginsPlace: Place {
    let origins: [FaultyOrigin]
    let storm: Storm

    var backends: [String: String] { [:] }

    /// The lanes begin at different ones.
    func place(_ content: PatternedContent, as name: String, lane: Int) -> [String] {
        storm.serve(content, at: name)
        return origins.indices.map { origins[($0 + lane) % origins.count].url(name) }
    }

    func strike(_ plan: PlannedDownload, _ image: StoredImage) {}
    func repair(_ plan: PlannedDownload, _ image: StoredImage) {}
}
