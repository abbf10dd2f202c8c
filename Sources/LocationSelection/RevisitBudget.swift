/// How often a relay may come back to locations that failed it. First visits are free; a revisit costs one, and progress pays
/// everything back, so that a long download over shaky stores is not cut off for its length.
package struct RevisitBudget: Sendable, Equatable {
    /// The full budget.
    package let limit: Int
    /// The bytes of progress that fill it again.
    package let refundAfter: Int64
    /// What is left.
    package private(set) var left: Int
    private var progress: Int64 = 0

    /// A full budget.
    package init(limit: Int, refundAfter: Int64) {
        self.limit = limit
        self.refundAfter = refundAfter
        self.left = limit
    }

    /// Pays for one revisit.
    /// - Returns: false when there is nothing left to pay with.
    package mutating func spend() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    /// Counts bytes that brought the download forward since they last filled the budget, over any number of attempts.
    /// - Returns: whether they filled the budget again.
    @discardableResult
    package mutating func advance(by bytes: Int64) -> Bool {
        progress += bytes
        guard progress >= refundAfter else { return false }
        progress = 0
        left = limit
        return true
    }
}
