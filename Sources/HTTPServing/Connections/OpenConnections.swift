import Logging
import NIOCore
import NetworkAddress
import Synchronization
import Telemetry

/// The open client connections. Enforces their limits: closes idle connections to make room, and refuses new ones when none is
/// idle.
final class OpenConnections: Sendable {
    private typealias Ledger = ConnectionLedger<ObjectIdentifier>

    private struct State {
        var ledger = Ledger()
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// When a reached limit was last logged, and how many more times it was reached since.
        var lastReport: ContinuousClock.Instant?
        var sinceReport = 0

        /// Counts that a limit was reached.
        /// - Returns: the count since the last log line; nil if it is too early for another line.
        mutating func report(at now: ContinuousClock.Instant) -> Int? {
            sinceReport += 1
            if let lastReport, now - lastReport < OpenConnections.reportInterval { return nil }
            defer { sinceReport = 0 }
            lastReport = now
            return sinceReport
        }
    }

    /// The minimum time between two log lines.
    private static let reportInterval: Duration = .seconds(60)

    private let state = Mutex(State())
    private let refused: Counter
    private let replaced: Counter

    /// - Parameter metrics: receives the number of open, refused and replaced connections.
    init(metrics: MetricsRegistry) {
        refused = metrics.counter(
            "baton_connections_refused_total", "Clients' connections that were refused, by the limit.", labels: ["limit"])
        replaced = metrics.counter(
            "baton_connections_replaced_total", "Idle connections that were closed to make room for others, by the limit.",
            labels: ["limit"])
        metrics.gauge("baton_connections_open", "Clients' connections.") { [weak self] in
            [([], Double(self?.count ?? 0))]
        }
    }

    /// The number of open connections.
    var count: Int { state.withLock { $0.ledger.count } }

    /// Records a connection, or closes it if a limit refuses it.
    /// - Parameter isProxy: whether the connection carries many clients, so that it counts towards no address.
    /// - Returns: whether the connection was admitted.
    func take(
        _ channel: any Channel, isProxy: Bool, limits: ServerLimits, logger: Logger,
        at now: ContinuousClock.Instant = .now
    ) -> Bool {
        let id = ObjectIdentifier(channel)
        let address = isProxy ? nil : channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }?.subscriber.description
        let (decision, victim, report) = state.withLock { state in
            let decision = state.ledger.open(
                id, from: address, limits: .init(total: limits.connections, perAddress: limits.connectionsPerAddress))
            var victim: (any Channel)?
            if case .replaces(let oldest, _) = decision { victim = state.channels.removeValue(forKey: oldest) }
            if case .refused = decision {} else { state.channels[id] = channel }
            return (decision, victim, decision == .admitted ? nil : state.report(at: now))
        }
        victim?.close(promise: nil)
        switch decision {
        case .admitted: break
        case .replaces(_, let limit): replaced.add(1, limit.rawValue)
        case .refused(let limit): refused.add(1, limit.rawValue)
        }
        if let report { log(decision, report, limits, logger) }
        if case .refused = decision {
            channel.close(promise: nil)
            return false
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.ledger.close(id)
                _ = state.channels.removeValue(forKey: id)
            }
        }
        return true
    }

    /// Marks a connection as busy or idle.
    func note(_ id: ObjectIdentifier, isBusy: Bool) {
        state.withLock { isBusy ? $0.ledger.becameBusy(id) : $0.ledger.becameIdle(id) }
    }

    private func log(
        _ decision: ConnectionLedger<ObjectIdentifier>.Decision, _ times: Int, _ limits: ServerLimits, _ logger: Logger
    ) {
        let limit =
            switch decision {
            case .replaces(_, .perAddress), .refused(.perAddress): "server.max_connections_per_address"
            default: "server.max_connections"
            }
        logger.warning(
            "connections.limit_reached: Clients reached the limit of connections. Idle connections are closed first, then new ones are refused.",
            metadata: [
                "limit": "\(limit)", "times": .stringConvertible(times),
                "max_connections": .stringConvertible(limits.connections),
                "max_connections_per_address": .stringConvertible(limits.connectionsPerAddress),
            ])
    }
}
