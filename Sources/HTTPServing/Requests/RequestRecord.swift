import Access
import HTTPTypes
import Hummingbird
import ImageModel
package import Logging
import Synchronization

/// What becomes known of a request while it is answered, for the lines that the log has of it.
package final class RequestRecord: Sendable {
    private struct Facts {
        var caller: Caller?
        var client: String?
        var relay: Logger.Metadata = [:]
        var changes: [String] = []
        /// Of an answer whose bytes do not come through its body.
        var delivered: Int64?
    }

    private let facts = Mutex(Facts())

    /// The most Unicode scalars of a path that a line repeats.
    private static let pathLimit = 1024
    /// The most changes that a line names.
    private static let changesLimit = 32

    /// Who sent it, and from where.
    func note(_ caller: Caller?, at client: String?) {
        facts.withLock { facts in
            facts.caller = caller
            facts.client = client
        }
    }

    /// What it asks to be changed, in a few words each.
    package func note(changes: [String]) { facts.withLock { $0.changes = changes } }

    /// What its download came to.
    /// - Parameters:
    ///   - relay: what the line says of it.
    ///   - delivered: how many bytes the client got.
    package func note(relay: Logger.Metadata, delivered: Int64) {
        facts.withLock { facts in
            facts.relay = relay
            facts.delivered = delivered
        }
    }

    /// Writes the line that every request has, and the one of a change.
    /// - Parameters:
    ///   - route: the path as it was registered; nil if there is none.
    ///   - status: nil if the client left before there was one.
    ///   - length: of the answer's body, as far as it was written.
    func log(
        _ request: Request, route: String?, status: HTTPResponse.Status?, length: Int, created: String?, took: Duration,
        to logger: Logger
    ) {
        let facts = facts.withLock { $0 }
        var who: Logger.Metadata = [:]
        if let client = facts.client { who["client"] = "\(client)" }
        if let caller = facts.caller {
            who["caller"] = "\(caller.user)"
            if let project = caller.project { who["project"] = "\(project)" }
        }
        who["method"] = "\(request.method.rawValue)"
        who["path"] = "\(Self.shortened(request.uri.path))"
        // What nginx writes of such a request.
        who["status"] = .stringConvertible(status?.code ?? 499)
        var access = who.merging(facts.relay) { own, _ in own }
        // A download that was refused is answered with an error, whose body is what the client got.
        let delivered = status?.kind == .successful ? facts.delivered : nil
        access["bytes"] = .stringConvertible(delivered ?? Int64(length))
        access["seconds"] = .stringConvertible((took / .microseconds(1)).rounded() / 1_000_000)
        logger.info("request.finished", metadata: access)
        guard facts.caller != nil, status?.kind == .successful, ![.get, .head, .options].contains(request.method) else {
            return
        }
        if let route { who["action"] = "\(request.method.rawValue) \(route)" }
        if !facts.changes.isEmpty { who["changes"] = .array(facts.changes.prefix(Self.changesLimit).map { "\($0)" }) }
        if let created { who["created"] = "\(created)" }
        logger.notice("audit.change", metadata: who)
    }

    /// Writes the line of a request that the rules of HTTP refuse, of which no route knows.
    /// - Parameter client: its address.
    static func log(_ refusal: RequestGate.Refusal, from client: String?, to logger: Logger) {
        var access: Logger.Metadata = [
            "request": "\(refusal.requestID)", "status": .stringConvertible(refusal.status.code),
            "bytes": .stringConvertible(refusal.length),
        ]
        if let client { access["client"] = "\(client)" }
        if let method = refusal.method { access["method"] = "\(shortened(method))" }
        if let path = refusal.path { access["path"] = "\(shortened(path))" }
        logger.info("request.finished", metadata: access)
    }

    private static func shortened(_ text: String) -> String { text.excerpt(pathLimit) }
}
