package import NIOCore

/// Who receives what a transfer brings. All calls come on the loop's thread, in this order:
/// `transferBegan`, then `head`, then any number of `bytes` or `slab` with a `settled` after each batch, then `ended` once.
///
/// `head`, `bytes` and `slab` may be called from inside libcurl: they must not start, cancel or resume a transfer. The other
/// calls may. After `cancel` returns nothing more is called.
package protocol TransferSink: AnyObject, Sendable {
    /// The transfer got its connection or its worker; until then it was waiting for a slot.
    func transferBegan(_ transfer: TransferID)
    /// The head is there.
    /// - Returns: whether to go on; `false` ends the transfer with the error `rejected`.
    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool
    /// The next bytes of the body, valid during the call only.
    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer)
    /// The next bytes of the body in a slab to keep: what workers read, handed over without a copy.
    func transfer(_ transfer: TransferID, slab: ByteBuffer)
    /// A batch is over: decide now what to do with it.
    func transferSettled(_ transfer: TransferID)
    /// The transfer is over and forgotten; nil means that it ended as the server announced.
    func transfer(_ transfer: TransferID, endedWith error: TransferError?)
}

/// Somebody who wants to look at the time now and then, on the loop's thread.
package protocol Ticking: AnyObject, Sendable {
    /// Called about every `TransferLoop.tickInterval`.
    func tick(_ now: ContinuousClock.Instant)
}
