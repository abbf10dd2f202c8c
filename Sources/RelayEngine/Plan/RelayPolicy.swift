package import LocationSelection

/// The limits of a relay, as configured; see config/baton.yaml.
package struct RelayPolicy: Sendable, Equatable {
    /// How long the relay waits for a byte before it fails over.
    package var stallTimeout: Duration = .seconds(3)
    /// The largest stall timeout; it grows when all locations have stalled.
    package var stallTimeoutLimit: Duration = .seconds(60)
    /// When a slow location is left for a faster one.
    package var slow = SlowLocationRule()
    /// A slow location is left at multiples of this offset if the representation has no chunks.
    package var slowBoundary: Int64 = 1 << 20
    /// How long a relay continues without progress while its client is ready.
    package var giveUpAfter: Duration = .seconds(60)
    /// How long a client may read nothing.
    package var clientStallTimeout: Duration = .seconds(300)
    /// How long a client reads nothing before its permit may go to another download, and how long any download has its permit
    /// before it may go to an interrupted one.
    package var permitTimeout: Duration = .seconds(5)
    /// How many revisits of failed locations a relay may make without progress.
    package var revisits = 32
    /// The progress in bytes, over any number of attempts, that refunds the revisits.
    package var refundAfter: Int64 = 1
    /// The bound of the wait before the first revisit.
    package var backoff: Duration = .milliseconds(100)
    /// The largest bound of the wait before a revisit.
    package var backoffLimit: Duration = .seconds(5)
    /// The most bytes to read and drop at a location that answers a Range with the whole object.
    package var discardLimit: Int64 = 256 << 20
    /// The number of bytes at the end that are held back until the whole is verified.
    package var tail: Int64 = 1 << 20
    /// How many bytes may wait for the client, in addition to the tail.
    package var window: Int64 = 4 << 20

    /// How many bytes may come in one batch, and therefore after a pause.
    package var batch: Int64 = 1 << 20

    package init() {}
}
