/// The number of times that a relay may return to failed locations. First visits are free and a revisit costs one. Progress
/// refunds the budget, so that a long download over unreliable backends does not fail because of its length.
package struct RevisitBudget: Sendable, Equatable {
    package let limit: Int
    /// The progress in bytes that refunds the budget.
    package let refundAfter: Int64
    /// The number of revisits left.
    package private(set) var left: Int
    private var progress: Int64 = 0

    package init(limit: Int, refundAfter: Int64) {
        self.limit = limit
        self.refundAfter = refundAfter
        self.left = limit
    }

    /// Spends one revisit.
    /// - Returns: false if none is left.
    package mutating func spend() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    /// Adds bytes of progress since the last refund, over any number of attempts.
    /// - Returns: whether the budget was refunded.
    @discardableResult
    package mutating func advance(by bytes: Int64) -> Bool {
        progress += bytes
        guard progress >= refundAfter else { return false }
        progress = 0
        left = limit
        return true
    }
}
