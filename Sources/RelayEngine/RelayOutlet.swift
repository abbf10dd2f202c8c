public import NIOCore

/// Where a relay's bytes go: a response, a file, nowhere. Called on the relay's loop.
public protocol RelayOutlet: AnyObject, Sendable {
    /// The relay can serve: the head of the response may go out. Called at most once, before any `write`.
    func relayCommitted()
    /// Writes the next slabs. `done` is called once, on any thread, when they are out of Baton's hands (true) or can't be
    /// delivered any more (false).
    func write(_ slabs: [ByteBuffer], done: @escaping @Sendable (Bool) -> Void)
    /// The relay is over; nothing is called after it.
    func relayEnded(_ summary: RelaySummary)
}
