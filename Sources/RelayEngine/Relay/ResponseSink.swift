package import NIOCore

/// The destination of a relay's bytes: a response or a file. Called on the relay's loop.
package protocol ResponseSink: AnyObject, Sendable {
    /// The relay can serve: the head of the response may be sent. Called at most once, before any `write`.
    func relayCommitted()
    /// Writes the next slabs. `delivered` is called on any thread, for each slab in order: with the number of bytes once Baton
    /// has passed them on, or with nil if neither it nor later slabs can be delivered.
    func write(_ slabs: [ByteBuffer], delivered: @escaping @Sendable (_ bytes: Int64?) -> Void)
    /// The relay has ended; nothing is called afterwards.
    func relayEnded(_ summary: RelaySummary)
}
