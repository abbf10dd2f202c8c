package import BackendKit
package import NIOCore

/// What a reader makes of an answer's head.
package enum HeadDecision: Sendable, Equatable {
    /// The body is wanted: which bytes of it.
    case read(BodyWindow)
    /// The answer is not what was wanted, and this is the attempt's failure.
    case reject(AttemptFailure)
    /// Nothing more is wanted: the attempt ends without a failure.
    case stop
}

/// The reader of an attempt. All calls come on the loop's thread, in this order: `permitted`, `requested`, `began`, `head`, any number
/// of `bytes` with a `settled` after each batch, and `ended` once. After a renewal of credentials `requested` comes a second time.
///
/// `head` and `bytes` may be called from inside libcurl: they must not cancel or resume the attempt, nor start another one. The other
/// calls may. After the attempt's `cancel` nothing more is called.
package protocol AttemptSink: AnyObject, Sendable {
    /// The attempt holds its permit; not called where the backend's connections are not limited.
    func attemptPermitted(_ attempt: OriginAttempt)
    /// The request was made. It waits for a connection or a worker.
    func attemptRequested(_ attempt: OriginAttempt)
    /// The request got its connection or its worker.
    func attemptBegan(_ attempt: OriginAttempt)
    /// The head is there, and the driver found it good.
    func attempt(_ attempt: OriginAttempt, head: ObjectHead) -> HeadDecision
    /// The next wanted bytes of the body, valid during the call only.
    func attempt(_ attempt: OriginAttempt, bytes: UnsafeRawBufferPointer)
    /// The next wanted bytes of the body in a slab to keep: what a worker read, handed over without a copy.
    func attempt(_ attempt: OriginAttempt, slab: ByteBuffer)
    /// A batch is over: decide now what to do with it.
    func attemptSettled(_ attempt: OriginAttempt)
    /// Another download waits for the permit: cancel the attempt as soon as possible, or `insist`.
    func attemptPermitWanted(_ attempt: OriginAttempt)
    /// The attempt has waited for its permit, or for a worker, as long as it may.
    /// - Returns: whether to wait on; the question comes again at the next tick.
    func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool
    /// The attempt is over, and its permit is given back.
    /// - Parameter failure: nil where the body ended as the server announced, or nothing more was wanted.
    func attempt(_ attempt: OriginAttempt, endedWith failure: AttemptFailure?)
}

extension AttemptSink {
    /// Nothing to do.
    package func attemptPermitted(_ attempt: OriginAttempt) {}
    /// Nothing to do.
    package func attemptRequested(_ attempt: OriginAttempt) {}
    /// Nothing to do.
    package func attemptBegan(_ attempt: OriginAttempt) {}
    /// As bytes that are not kept.
    package func attempt(_ attempt: OriginAttempt, slab: ByteBuffer) {
        slab.withUnsafeReadableBytes { self.attempt(attempt, bytes: $0) }
    }
    /// Nothing to do.
    package func attemptSettled(_ attempt: OriginAttempt) {}
    /// It can't be given back.
    package func attemptPermitWanted(_ attempt: OriginAttempt) { attempt.insistOnPermit() }
    /// It fails.
    package func attemptMayWaitOn(_ attempt: OriginAttempt) -> Bool { false }
}
