package import BackendKit
package import NIOCore

/// What a reader does with the head of a response.
package enum HeadDecision: Sendable, Equatable {
    /// Read these bytes of the body.
    case read(BodyWindow)
    /// End the attempt with this failure.
    case reject(AttemptFailure)
    /// End the attempt without a failure: the head was all that was wanted.
    case stop
}

/// The reader of an attempt. All calls come on the loop's thread, in this order: `permitted`, `requested`, `began`, `head`, any
/// number of `bytes` with a `settled` after each batch, and `ended` once. After a renewal of credentials `requested` comes a
/// second time.
///
/// `head` and `bytes` may be called from inside libcurl: they must not cancel or resume the attempt, nor start another one. The
/// other calls may. No call follows the attempt's `cancel`.
package protocol AttemptSink: AnyObject, Sendable {
    /// The attempt has its permit. Not called if the backend's connections are not limited.
    func attemptPermitted(_ attempt: OriginAttempt)
    /// The request was made. It waits for a connection or a worker.
    func attemptRequested(_ attempt: OriginAttempt)
    /// The request has its connection or worker.
    func attemptBegan(_ attempt: OriginAttempt)
    /// The head has arrived, and the driver accepts it.
    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision
    /// The next wanted bytes of the body, valid only during the call.
    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer)
    /// The next wanted bytes of the body in a slab that the reader may keep. Workers' reads are passed without a copy.
    func attempt(_ attempt: OriginAttempt, slab: ByteBuffer)
    /// A batch is over: the reader processes it and may pause or cancel the attempt.
    func attemptSettled(_ attempt: OriginAttempt)
    /// Another download waits for the permit: the reader cancels the attempt as soon as possible, or calls `insistOnPermit`.
    func attemptPermitWanted(_ attempt: OriginAttempt)
    /// The attempt has waited for its permit or for a worker as long as its timeout.
    /// - Returns: whether to continue waiting, until the next tick asks again.
    func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool
    /// The attempt is over, and its permit is given back.
    /// - Parameter failure: nil if the body ended as the server announced, or if no more was wanted.
    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?)
}

extension AttemptSink {
    /// Ignores that the attempt has its permit.
    package func attemptPermitted(_ attempt: OriginAttempt) {}
    /// Ignores that the request was made.
    package func attemptRequested(_ attempt: OriginAttempt) {}
    /// Ignores that the request has its connection or worker.
    package func attemptBegan(_ attempt: OriginAttempt) {}
    /// Passes the bytes of the slab to `attempt(_:bytes:)`.
    package func attempt(_ attempt: OriginAttempt, slab: ByteBuffer) {
        slab.withUnsafeReadableBytes { self.attempt(attempt, bytes: $0) }
    }
    /// Ignores the end of a batch.
    package func attemptSettled(_ attempt: OriginAttempt) {}
    /// Keeps the permit although another download waits for it.
    package func attemptPermitWanted(_ attempt: OriginAttempt) { attempt.insistOnPermit() }
    /// Ends the wait, so that the attempt fails.
    package func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool { false }
}
