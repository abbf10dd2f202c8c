/// What a client saw of one download.
package struct Observation: Sendable, Codable {
    /// How it ended.
    package enum Outcome: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
        /// All bytes, and all right.
        case exact
        /// Cut short of what was announced, all bytes until then right; or an error before the first.
        case failed
        /// A wrong byte, or a complete answer that is not what was asked for.
        case wrong
        /// No byte for longer than any timeout on the way.
        case hung
        /// Its client left, and had only right bytes.
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
    /// Whether every strike of its plan hit it.
    package let isStruck: Bool
    /// The longest time between two reads, in seconds; nil where it is the client's own doing.
    package let gap: Double?
    /// More, where it ended otherwise than well.
    package let remark: String
    /// What the server calls the request; nil where it does not say.
    package let request: String?

    package init(
        _ plan: PlannedDownload, _ outcome: Outcome, received: Int64, isStruck: Bool, gap: Double?, remark: String = "",
        request: String? = nil
    ) {
        number = plan.number
        fault = plan.fault
        client = plan.client
        self.outcome = outcome
        asked = Int64(plan.range.count)
        self.received = received
        self.isStruck = isStruck
        self.gap = plan.client.seesGaps ? gap : nil
        self.remark = remark
        self.request = request
    }
}
