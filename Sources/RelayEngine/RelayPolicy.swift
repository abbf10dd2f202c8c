package import LocationSelection

/// The limits of a relay; the operator's, see config/baton.yaml.
package struct RelayPolicy: Sendable, Equatable {
    /// How long no byte may come before the relay moves on.
    package var stallTimeout: Duration = .seconds(3)
    /// What the stall timeout grows to when all locations have stalled.
    package var stallTimeoutLimit: Duration = .seconds(60)
    /// When a location that brings bytes is left for a faster one.
    package var slow = SlowLocationRule()
    /// Where no chunks are known, such a location is left at offsets that are a multiple of this.
    package var slowEdge: Int64 = 1 << 20
    /// How long a relay goes on without progress while its client is ready.
    package var giveUpAfter: Duration = .seconds(60)
    /// How long a client may read nothing.
    package var clientStallTimeout: Duration = .seconds(300)
    /// How long a client takes nothing before its permit may go to another download; how long any download has its permit before it
    /// may go to one that was interrupted.
    package var permitTimeout: Duration = .seconds(5)
    /// How many revisits of failed locations a relay may make without progress.
    package var revisits = 32
    /// The progress that pays revisits back, in bytes, over any number of attempts.
    package var refundAfter: Int64 = 1
    /// The first bound of the wait before a revisit.
    package var backoff: Duration = .milliseconds(100)
    /// The largest bound of that wait.
    package var backoffLimit: Duration = .seconds(5)
    /// How many bytes may be read and dropped at a location that answers a Range with everything.
    package var discardLimit: Int64 = 256 << 20
    /// How much of the end is held back until the whole is verified, in bytes.
    package var tail: Int64 = 1 << 20
    /// How many bytes may wait for the client, beside the tail.
    package var window: Int64 = 4 << 20

    /// How many bytes may come at a time, and so after reading was stopped.
    package var batch: Int64 = 1 << 20

    /// The defaults.
    package init() {}
}
