import ChaosPlan
import FaultyOrigin
import Synchronization

/// Tells the FaultyOrigins how to answer: each injection of a running download hits the location that is serving its byte.
final class FaultInjector: Sendable {
    /// A running download.
    fileprivate struct Download {
        let plan: PlannedDownload
        /// The injections that are still to come, without external ones.
        var injections: ArraySlice<Injection>
        /// The locations that an injection has hit.
        var hit: Set<Int> = []
    }

    private struct State {
        var contents: [String: PatternedContent] = [:]
        var downloads: [String: Download] = [:]
    }

    private let state = Mutex(State())
    /// The rate limit of one response, in bytes per second.
    private let pace: Int64?

    init(pace: Int64?) { self.pace = pace }

    /// Serves a content at a path.
    func serve(_ content: PatternedContent, at path: String) { state.withLock { $0.contents[path] = content } }

    /// From now on requests for that path belong to this download.
    func begin(_ plan: PlannedDownload, at path: String) {
        let injections = plan.injections.filter { $0.act != .external }
        state.withLock { $0.downloads[path] = Download(plan: plan, injections: injections[...]) }
    }

    /// Ends the download at that path.
    /// - Returns: whether all injections hit.
    func end(at path: String) -> Bool { state.withLock { $0.downloads.removeValue(forKey: path)?.injections.isEmpty ?? true } }

    /// How a location answers a request.
    func behaviour(for request: OriginRequest, at location: Int) -> Behaviour {
        let path = String(request.path.dropFirst())
        let (content, behaviour) = state.withLock { state in
            // Probes, and second reads of a suspect, which bypass caches, are not downloads.
            let isDownload = !request.isProbe && request["cache-control"] == nil
            return (
                state.contents[path],
                isDownload ? state.downloads[path]?.behaviour(for: request, at: location) ?? .sound : .sound
            )
        }
        guard let content else { return .status(404) }
        let served = behaviour.serving(content)
        return pace.map { served.paced($0) } ?? served
    }
}

extension FaultInjector.Download {
    mutating func behaviour(for request: OriginRequest, at location: Int) -> Behaviour {
        if hit.contains(location) { return plan.isLasting ? .status(503) : .sound }
        let first = request.range?.first ?? 0
        let last = request.range?.last ?? .max
        guard let injection = injections.first, (first...last).contains(injection.offset) else { return .sound }
        injections.removeFirst()
        hit.insert(location)
        return Behaviour(of: injection, inBodyFrom: first)
    }
}

extension Behaviour {
    fileprivate init(of injection: Injection, inBodyFrom first: Int64) {
        let after = injection.offset - first
        switch injection.act {
        case .reset: self = .reset(after: after)
        case .end: self = .close(after: after)
        case .silence: self = .stall(after: after)
        case .corrupt: self = .corrupt(at: injection.offset)
        case .pause: self = .pause(after: after, for: .milliseconds(300))
        case .refuse(let status): self = .status(status)
        case .answer(.everything): self = .ignoringRange
        case .answer(.anotherRange): self = .wrongRange(by: 4096)
        case .answer(.anotherSize): self = .wrongTotal(by: 1)
        case .answer(.anotherObject): self = .etag("\"v2\"")
        case .answer(.compressed): self = .encoded(["br"])
        case .external: self = .sound
        }
    }
}
