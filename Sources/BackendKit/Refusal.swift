package import CurlTransfer

/// A response without the object's bytes, whose body is read for the reason it states.
package struct Refusal: Sendable {
    /// The failure that the head alone implies.
    package let failure: AttemptFailure
    package let head: ResponseHead
    /// The time at which the head arrived.
    package let began: ContinuousClock.Instant
    /// The body so far, up to the limit.
    package private(set) var body: [UInt8] = []

    private let limit: Int

    /// Creates a refusal whose body has not been read yet.
    /// - Parameter limit: the most bytes of the body to keep; at least 1.
    package init(_ failure: AttemptFailure, head: ResponseHead, limit: Int, at now: ContinuousClock.Instant = .now) {
        began = now
        self.failure = failure
        self.head = head
        self.limit = limit
    }

    /// Whether enough of the body has been read.
    package var isFull: Bool { body.count >= limit }

    /// Appends bytes up to the limit.
    package mutating func take(_ bytes: some Collection<UInt8>) { body.append(contentsOf: bytes.prefix(limit - body.count)) }
}

extension Driver {
    /// The refusal that the head of a response begins; nil if its body is not worth reading.
    /// - Parameter failure: the failure that the head alone implies.
    package func refusal(
        _ failure: AttemptFailure, _ head: ResponseHead, at now: ContinuousClock.Instant = .now
    ) -> Refusal? {
        guard refusalLimit > 0, head.status >= 300, head["content-length"] != "0" else { return nil }
        return Refusal(failure, head: head, limit: refusalLimit, at: now)
    }
}
