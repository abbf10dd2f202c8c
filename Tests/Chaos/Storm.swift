import ChaosPlan
import FaultyOrigin
import Synchronization

/// Tells the FaultyOrigins how to answer: each strike of an image's running download hits whichever location is serving its byte.
final class Storm: Sendable {
    /// A download that runs.
    fileprivate struct Target {
        let plan: PlannedDownload
        /// Those that are yet to come, without what is done to others than these origins.
        var strikes: ArraySlice<Strike>
        /// The locations that were struck.
        var struck: Set<Int> = []
    }

    private struct State {
        var contents: [String: PatternedContent] = [:]
        var targets: [String: Target] = [:]
    }

    private let state = Mutex(State())
    /// The most that one answer gets in a second, in bytes.
    private let pace: Int64?

    init(pace: Int64?) { self.pace = pace }

    /// Serves a content at a path.
    func serve(_ content: PatternedContent, at path: String) { state.withLock { $0.contents[path] = content } }

    /// From now on the requests for that path are this download's.
    func begin(_ plan: PlannedDownload, at path: String) {
        let strikes = plan.strikes.filter { $0.act != .deed }
        state.withLock { $0.targets[path] = Target(plan: plan, strikes: strikes[...]) }
    }

    /// The download is over.
    /// - Returns: whether all strikes hit.
    func end(at path: String) -> Bool { state.withLock { $0.targets.removeValue(forKey: path)?.strikes.isEmpty ?? true } }

    /// How a location answers a request.
    func behaviour(for request: OriginRequest, at location: Int) -> Behaviour {
        let path = String(request.path.dropFirst())
        let (content, behaviour) = state.withLock { state in
            // Probes, and second reads of a suspect past all caches, are no downloads.
            let isDownload = !request.isProbe && request["cache-control"] == nil
            return (
                state.contents[path],
                isDownload ? state.targets[path]?.behaviour(for: request, at: location) ?? .sound : .sound
            )
        }
        guard let content else { return .status(404) }
        let served = behaviour.serving(content)
        return pace.map { served.paced($0) } ?? served
    }
}

extension Storm.Target {
    mutating func behaviour(for request: OriginRequest, at location: Int) -> Behaviour {
        if struck.contains(location) { return plan.isLasting ? .status(503) : .sound }
        let first = request.range?.first ?? 0
        let last = request.range?.last ?? .max
        guard let strike = strikes.first, (first...last).contains(strike.offset) else { return .sound }
        strikes.removeFirst()
        struck.insert(location)
        return Behaviour(of: strike, inBodyFrom: first)
    }
}

extension Behaviour {
    fileprivate init(of strike: Strike, inBodyFrom first: Int64) {
        let after = strike.offset - first
        switch strike.act {
        case .reset: self = .reset(after: after)
        case .end: self = .close(after: after)
        case .silence: self = .stall(after: after)
        case .corrupt: self = .corrupt(at: strike.offset)
        case .pause: self = .pause(after: after, for: .milliseconds(300))
        case .refuse(let status): self = .status(status)
        case .answer(.everything): self = .ignoringRange
        case .answer(.anotherRange): self = .wrongRange(by: 4096)
        case .answer(.anotherSize): self = .wrongTotal(by: 1)
        case .answer(.anotherObject): self = .etag("\"v2\"")
        case .answer(.compressed): self = .encoded(["br"])
        case .deed: self = .sound
        }
    }
}
