import Access
import HTTPTypes
import Hummingbird
import ImageModel
package import Logging
import Synchronization

/// Collects the facts about a request for its log lines.
package final class RequestRecord: Sendable {
    private struct Facts {
        var caller: Caller?
        var client: String?
        var relay: Logger.Metadata = [:]
        var changes: [String] = []
        /// The number of body bytes of a response that is written straight to the channel.
        var delivered: Int64?
    }

    private let facts = Mutex(Facts())

    /// The most Unicode scalars of a path in a log line.
    private static let pathLimit = 1024
    /// The most changes in a log line.
    private static let changesLimit = 32

    /// Records the caller and the client's address.
    func note(_ caller: Caller?, at client: String?) {
        facts.withLock { facts in
            facts.caller = caller
            facts.client = client
        }
    }

    /// Records the requested changes, a few words each.
    package func note(changes: [String]) { facts.withLock { $0.changes = changes } }

    /// Records the result of a download.
    /// - Parameters:
    ///   - relay: the metadata for the log line.
    ///   - delivered: the number of bytes that the client received.
    package func note(relay: Logger.Metadata, delivered: Int64) {
        facts.withLock { facts in
            facts.relay = relay
            facts.delivered = delivered
        }
    }

    /// Writes the log line of the request, and the audit line if it changed something.
    /// - Parameters:
    ///   - route: the registered path; nil for an unknown one.
    ///   - status: nil if the client left before there was one.
    ///   - length: the number of written bytes of the response body.
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
        // 499 is the status that nginx logs for a client that left.
        who["status"] = .stringConvertible(status?.code ?? 499)
        var access = who.merging(facts.relay) { own, _ in own }
        // A refused download is answered with an error, so its bytes are those of the error's body.
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

    /// Writes the log line of a request that `RequestGate` refused.
    /// - Parameter client: the client's address.
    static func log(_ refusal: RequestGate.RejectedRequest, from client: String?, to logger: Logger) {
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
