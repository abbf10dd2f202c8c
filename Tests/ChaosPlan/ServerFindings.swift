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
