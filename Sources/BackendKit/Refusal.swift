package import CurlTransfer

/// An answer that brings no bytes of the object, while its body is read for what it says of the reason.
package struct Refusal: Sendable {
    /// What the head alone means.
    package let failure: AttemptFailure
    /// The head.
    package let head: ResponseHead
    /// When the head came.
    package let began: ContinuousClock.Instant
    /// The body so far, up to the limit.
    package private(set) var body: [UInt8] = []

    private let limit: Int

    /// A refusal whose body is about to come.
    /// - Parameter limit: the most bytes of the body to keep; at least 1.
    package init(_ failure: AttemptFailure, head: ResponseHead, limit: Int, at now: ContinuousClock.Instant = .now) {
        began = now
        self.failure = failure
        self.head = head
        self.limit = limit
    }

    /// Whether no more of the body is wanted.
    package var isFull: Bool { body.count >= limit }

    /// Keeps what fits of the next bytes.
    package mutating func take(_ bytes: some Collection<UInt8>) { body.append(contentsOf: bytes.prefix(limit - body.count)) }
}

extension Driver {
    /// The refusal that an answer's head begins; nil where nothing more will be known of it.
    /// - Parameter failure: what the head alone means.
    package func refusal(
        _ failure: AttemptFailure, _ head: ResponseHead, at now: ContinuousClock.Instant = .now
    ) -> Refusal? {
        guard refusalLimit > 0, head.status >= 300, head["content-length"] != "0" else { return nil }
        return Refusal(failure, head: head, limit: refusalLimit, at: now)
    }
}
