/// The tables of a run, in Markdown.
package struct Report: Sendable {
    private let lines: [String]

    /// The text.
    package var text: String { lines.joined(separator: "\n") + "\n" }

    /// The table of one peer, by fault.
    package init(of tally: Tally) {
        var lines = [
            "| fault | downloads | exact | failed | silently wrong | hung | left | gap p50, ms | gap p99, ms | longest |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        ]
        let outcomes: [Observation.Outcome] = [.exact, .failed, .wrong, .hung, .abandoned]
        for fault in Fault.allCases {
            guard let row = tally.rows[fault] else { continue }
            let counts = [row.count] + outcomes.map { row.outcomes[$0] ?? 0 }
            let gaps = [50, 99, 100].map { Self.milliseconds(row.gap(percentile: $0)) }
            lines.append(Self.line([fault.rawValue] + counts.map { "\($0)" } + gaps))
        }
        let counts = [outcomes.reduce(0) { $0 + tally.count($1) }] + outcomes.map { tally.count($0) }
        lines.append(Self.line(["all"] + counts.map { "\($0)" } + ["", "", ""]))
        self.lines = lines
    }

    /// The table of several peers, side by side.
    package init(of peers: [(name: String, tally: Tally)]) {
        var lines = [
            Self.line(["fault"] + peers.map(\.name)), "|---|" + peers.map { _ in "--:|" }.joined(),
        ]
        for fault in Fault.allCases where peers.contains(where: { $0.tally.rows[fault] != nil }) {
            lines.append(Self.line([fault.rawValue] + peers.map { Self.outcomes($0.tally.rows[fault]) }))
        }
        for outcome in [Observation.Outcome.exact, .failed, .wrong, .hung] {
            lines.append(Self.line(["all: \(Self.word(outcome))"] + peers.map { "\($0.tally.count(outcome))" }))
        }
        for (sign, name) in [(Fault.Sign.end, "its server ends"), (.silence, "its server is silent")] {
            let gaps = peers.map { peer in
                Self.milliseconds(peer.tally.joined(sign).gap(percentile: 99))
            }
            lines.append(Self.line(["gap p99 where \(name), ms"] + gaps))
        }
        self.lines = lines
    }

    private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private static func milliseconds(_ seconds: Double?) -> String {
        seconds.map { "\(Int(($0 * 1000).rounded()))" } ?? "–"
    }

    private static func word(_ outcome: Observation.Outcome) -> String {
        outcome == .wrong ? "silently wrong" : outcome.rawValue
    }

    private static func outcomes(_ row: Tally.Row?) -> String {
        guard let row else { return "–" }
        let parts = Observation.Outcome.allCases.compactMap { outcome in
            row.outcomes[outcome].map { "\($0) \(word(outcome))" }
        }
        return parts.joined(separator: ", ")
    }
}

/// What Baton's metrics and the system report about a run.
package struct ServerFindings: Sendable, Codable {
    /// Failovers after the first byte.
    package var midStreamFailovers: Int64 = 0
    /// Bytes that downloads took from locations.
    package var relayedBytes: Int64 = 0
    /// Bytes fetched beyond those delivered.
    package var extraBytes: Int64 = 0
    /// Relays that Baton reports as open after all clients have disconnected.
    package var openRelays: Int64 = 0
    /// Descriptors other than connections to stores or to the catalog's file, before the run and after it.
    package var descriptorsBefore = 0
    package var descriptorsAfter = 0
    /// Connections to stores and to the catalog's file that are kept for the next request, after the run.
    package var keptConnections = 0
    /// Samples of the resident memory, in bytes.
    package var memory: [Int64] = []
    /// Whether the process still runs.
    package var isAlive = true

    package init() {}

    /// The mean of the memory in one quarter of the run, in bytes.
    package func memory(inQuarter quarter: Int) -> Int64 {
        let part = memory[(memory.count * quarter / 4)..<(memory.count * (quarter + 1) / 4)]
        return part.isEmpty ? 0 : part.reduce(0, +) / Int64(part.count)
    }
}
