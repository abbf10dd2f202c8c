package import NIOCore

/// The receiver of a transfer's bytes. All calls come on the loop's thread, in this order: `transferBegan`, then `head`, then
/// any number of `bytes` or `slab` with a `settled` after each batch, then `ended` once.
///
/// `head`, `bytes` and `slab` may be called from inside libcurl: they must not start, cancel or resume a transfer. The other
/// calls may. After `cancel` returns nothing more is called.
package protocol TransferSink: AnyObject, Sendable {
    /// The transfer has its connection or its worker, after any wait for one.
    func transferBegan(_ transfer: TransferID)
    /// The head has arrived.
    /// - Returns: whether to continue; `false` ends the transfer with the error `rejected`.
    func transfer(_ transfer: TransferID, head: ResponseHead) -> Bool
    /// The next bytes of the body, valid only during the call.
    func transfer(_ transfer: TransferID, bytes: UnsafeRawBufferPointer)
    /// The next bytes of the body in a slab that the sink may keep. Reads of files are passed in this way, without a copy.
    func transfer(_ transfer: TransferID, slab: ByteBuffer)
    /// A batch is over: the sink processes it and may pause the transfer.
    func transferSettled(_ transfer: TransferID)
    /// The transfer is over and removed. Without an error it ended as the server announced.
    func transfer(_ transfer: TransferID, endedWith error: TransferError?)
}

/// An object that is called periodically on the loop's thread.
package protocol Ticking: AnyObject, Sendable {
    /// Called about every `TransferLoop.tickInterval`.
    func tick(_ now: ContinuousClock.Instant)
}
