public import LocationSelection

/// The limits of a relay; the operator's, see config/baton.yaml.
public struct RelayPolicy: Sendable, Equatable {
    /// How long no byte may come before the relay moves on.
    public var stallTimeout: Duration = .seconds(3)
    /// What the stall timeout grows to when all locations have stalled.
    public var stallTimeoutLimit: Duration = .seconds(60)
    /// When a location that brings bytes is left for a faster one.
    public var slow = SlowRule()
    /// Where no chunks are known, such a location is left at offsets that are a multiple of this.
    public var slowEdge: Int64 = 1 << 20
    /// How long a relay goes on without progress while its client is ready.
    public var giveUpAfter: Duration = .seconds(60)
    /// How long a client may read nothing.
    public var clientStallTimeout: Duration = .seconds(300)
    /// How long a client takes nothing before its permit may go to another download; how long any download has its permit before it
    /// may go to one that was interrupted.
    public var permitTimeout: Duration = .seconds(5)
    /// How many revisits of failed locations a relay may make without progress.
    public var revisits = 32
    /// The progress that pays revisits back, in bytes, over any number of attempts.
    public var refundAfter: Int64 = 1
    /// The first bound of the wait before a revisit.
    public var backoff: Duration = .milliseconds(100)
    /// The largest bound of that wait.
    public var backoffLimit: Duration = .seconds(5)
    /// How many bytes may be read and dropped at a location that answers a Range with everything.
    public var discardLimit: Int64 = 256 << 20
    /// How much of the end is held back until the whole is proven, in bytes.
    public var tail: Int64 = 1 << 20
    /// How many bytes may wait for the client, beside the tail.
    public var window: Int64 = 4 << 20

    /// How many bytes may come at a time, and so after reading was stopped.
    public var batch: Int64 = 1 << 20

    /// The defaults.
    public init() {}
}
