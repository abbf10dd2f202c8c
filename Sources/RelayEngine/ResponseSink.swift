package import NIOCore

/// Where a relay's bytes go: a response, a file, nowhere. Called on the relay's loop.
package protocol ResponseSink: AnyObject, Sendable {
    /// The relay can serve: the head of the response may go out. Called at most once, before any `write`.
    func relayCommitted()
    /// Writes the next slabs. `taken` is called on any thread, for each in its turn: with its bytes when it is out of Baton's hands,
    /// or with nil when it can't be delivered any more, nor what comes after it.
    func write(_ slabs: [ByteBuffer], taken: @escaping @Sendable (_ bytes: Int64?) -> Void)
    /// The relay is over; nothing is called after it.
    func relayEnded(_ summary: RelaySummary)
}
