/// What a client saw of one download.
package struct Observation: Sendable, Codable {
    /// How it ended.
    package enum Outcome: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
        /// All bytes came, and all were right.
        case exact
        /// The response was cut short and all bytes until then were right; or an error came before the first byte.
        case failed
        /// A wrong byte came, or a complete response that is not what was asked for.
        case wrong
        /// No byte came for longer than any timeout on the way.
        case hung
        /// The client disconnected and had received only right bytes.
        case abandoned
    }

    package let number: Int
    package let fault: Fault
    package let client: ClientKind
    package let outcome: Outcome
    /// How many bytes it asked for.
    package let asked: Int64
    /// How many came.
    package let received: Int64
    /// Whether every injection of its plan hit it.
    package let isHit: Bool
    /// The longest time between two reads, in seconds; nil where the client itself causes it.
    package let gap: Double?
    /// More, where it ended otherwise than well.
    package let remark: String
    /// What the server calls the request; nil where it does not say.
    package let request: String?

    package init(
        _ plan: PlannedDownload, _ outcome: Outcome, received: Int64, isHit: Bool, gap: Double?, remark: String = "",
        request: String? = nil
    ) {
        number = plan.number
        fault = plan.fault
        client = plan.client
        self.outcome = outcome
        asked = Int64(plan.range.count)
        self.received = received
        self.isHit = isHit
        self.gap = plan.client.seesGaps ? gap : nil
        self.remark = remark
        self.request = request
    }
}
