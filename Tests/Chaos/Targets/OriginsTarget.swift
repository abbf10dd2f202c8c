import ChaosPlan
import FaultyOrigin

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
