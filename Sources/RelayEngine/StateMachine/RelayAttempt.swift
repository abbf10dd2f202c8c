import BackendKit
import ImageModel
import LocationSelection
import OriginRead

/// One attempt of a relay, as the state machine follows it. A stage carries what is valid only in it.
///
/// `OriginAttempt` performs the attempt. Its state is the truth about what the attempt waits for, and the stage here follows by
/// events. During a renewal of credentials, which follows a head, the stage stays `begun`. What is wanted is decided here: the
/// body window, the pause, the end, and whether the permit is yielded. Actions carry it to the `OriginAttempt`. `Relay.Running`
/// has both, and the measurements.
struct RelayAttempt: Sendable, Equatable {
    /// How far the attempt has come.
    private enum Stage: Sendable, Equatable {
        /// Waits for a permit. Goes to: awaitingCredentials.
        case awaitingPermit(since: ContinuousClock.Instant)
        /// Waits for credentials. Goes to: requested.
        case awaitingCredentials
        /// The request waits for a connection or a worker. Goes to: begun.
        case requested(since: ContinuousClock.Instant)
        /// The request has its connection or worker, and waits for the head. Goes to: readingBody.
        case begun
        /// The head was good. Final.
        case readingBody(Body)
    }

    /// A body that is being read.
    private struct Body: Sendable, Equatable {
        /// What to skip and what to keep of the bytes that come. `OriginAttempt` counts down a copy while bytes come, and this
        /// one follows with the event `bytes`. Where the relay changes what is wanted, this one is the truth.
        var window: BodyWindow
        /// Whether the server announced that the body ends where the attempt does.
        var endsExactly: Bool
        /// The number of bytes received.
        var received: Int64 = 0
        /// The number of received bytes that the relay had not taken before.
        var gained: Int64 = 0
        /// Whether the relay wants the body paused. The `OriginAttempt` and its transfer follow by the actions `pause` and
        /// `resume`.
        var pause = Pause.never
        var plannedFailover: PlannedFailover?
    }

    /// Whether the body is or was paused.
    private enum Pause: Sendable, Equatable { case never, now, before }

    /// The permit of the attempt.
    private enum Permit: Sendable, Equatable {
        /// The attempt has no permit yet, or its backend needs none. Goes to: held.
        case none
        /// The attempt has its permit. `offer` says on what terms the permit may be asked back. Goes to: wanted.
        case held(since: ContinuousClock.Instant, offer: ConnectionOffer?)
        /// Another download waits for the permit: the attempt ends early. Final.
        case wanted
    }

    /// The failover that follows the attempt, which is cut short because its location is slow.
    struct PlannedFailover: Sendable, Equatable {
        let candidate: Int
        /// The throughput of the slow location, in bytes per second.
        let rate: Double
    }

    let id: AttemptID
    let candidate: Int
    /// The offset of the first byte.
    let start: Int64
    /// The requested range; nil for the whole object without a Range.
    let range: ByteRange?
    /// Whether a response without ranges may be used by dropping the bytes before `start`.
    let mayDiscard: Bool
    /// The offset after the last byte that the attempt can bring: the end of its range, or less if the response is shorter.
    private(set) var offered: Int64
    /// The offset after the last byte that is wanted: `offered`, or less once the attempt is cut short.
    private(set) var end: Int64
    private var stage: Stage
    private var permit = Permit.none

    /// An attempt at the bytes from `start` to before `end`.
    init(
        id: AttemptID, candidate: Int, start: Int64, end: Int64, range: ByteRange?, mayDiscard: Bool, needsPermit: Bool,
        at now: ContinuousClock.Instant
    ) {
        self.id = id
        self.candidate = candidate
        self.start = start
        self.range = range
        self.mayDiscard = mayDiscard
        offered = end
        self.end = end
        stage = needsPermit ? .awaitingPermit(since: now) : .awaitingCredentials
    }

    // MARK: The way to the body

    /// - Returns: whether the attempt was waiting for the permit.
    mutating func permitted(at now: ContinuousClock.Instant) -> Bool {
        guard case .awaitingPermit = stage else { return false }
        stage = .awaitingCredentials
        permit = .held(since: now, offer: nil)
        return true
    }

    mutating func requested(at now: ContinuousClock.Instant) {
        if !hasBegun { stage = .requested(since: now) }
    }

    mutating func began() {
        if !isReading { stage = .begun }
    }

    /// Whether the request has had a connection or a worker.
    var hasBegun: Bool {
        switch stage {
        case .begun, .readingBody: true
        case .awaitingPermit, .awaitingCredentials, .requested: false
        }
    }

    /// The failure of an attempt that has not got its permit or worker when the relay's time is over; nil for any other
    /// attempt.
    func starvation(at now: ContinuousClock.Instant) -> AttemptFailure? {
        switch stage {
        case .awaitingPermit(let since): .busy(after: now - since)
        case .requested(let since): .noWorker(for: now - since)
        case .awaitingCredentials, .begun, .readingBody: nil
        }
    }

    /// Reads the body that a good head announces.
    mutating func read(_ head: ObjectHead) {
        if let count = head.count { offered = min(offered, head.first + count) }
        end = min(end, offered)
        stage = .readingBody(
            Body(
                window: BodyWindow(skip: start - head.first, take: end - start),
                endsExactly: head.count.map { head.first + $0 == end } ?? false))
    }

    // MARK: The body

    private var body: Body? {
        if case .readingBody(let body) = stage { body } else { nil }
    }

    @discardableResult
    private mutating func updateBody<Result>(_ update: (inout Body) -> Result) -> Result? {
        guard case .readingBody(var body) = stage else { return nil }
        defer { stage = .readingBody(body) }
        return update(&body)
    }

    /// Whether a good head came.
    var isReading: Bool { body != nil }

    /// What to skip and what to keep of the body; nil until a good head came.
    var bodyWindow: BodyWindow? { body?.window }

    /// Whether the server announced that the body ends where the attempt does.
    var endsExactly: Bool { body?.endsExactly ?? false }

    /// The number of bytes received.
    var received: Int64 { body?.received ?? 0 }

    /// The number of received bytes that the relay had not taken before.
    var gained: Int64 { body?.gained ?? 0 }

    /// Counts bytes of the body.
    /// - Returns: how many of the kept ones were wanted; nil if there is no body.
    mutating func receive(dropped: Int64, kept: Int64) -> Int64? {
        updateBody { body in
            let drop = min(dropped, body.window.skip)
            let keep = min(kept, body.window.take)
            body.window = BodyWindow(skip: body.window.skip - drop, take: body.window.take - keep)
            body.received += drop + keep
            return keep
        }
    }

    /// Counts bytes that brought the relay forward.
    mutating func gain(_ count: Int64) {
        updateBody { $0.gained += count }
    }

    var isPaused: Bool { body?.pause == .now }

    /// Whether the attempt is paused or was before.
    var wasPaused: Bool { body.map { $0.pause != .never } ?? false }

    mutating func pause() {
        updateBody { $0.pause = .now }
    }

    mutating func resume() {
        updateBody { if $0.pause == .now { $0.pause = .before } }
    }

    // MARK: The early end

    /// The failover after the attempt; nil if the relay continues at the same location.
    var plannedFailover: PlannedFailover? { body?.plannedFailover }

    mutating func planFailover(_ failover: PlannedFailover?) {
        updateBody { $0.plannedFailover = failover }
    }

    /// Moves the end of the attempt.
    /// - Parameter accepted: the offset of the next byte.
    /// - Returns: whether that changes what is wanted of the body.
    mutating func cut(at end: Int64, accepted: Int64) -> Bool {
        guard end != self.end, isReading else { return false }
        updateBody { $0.window = BodyWindow(skip: $0.window.skip, take: end - accepted) }
        self.end = end
        return true
    }

    // MARK: The permit

    /// Whether the attempt ends early because another download waits for the permit.
    var isYielding: Bool { permit == .wanted }

    /// Since when the attempt has held a permit that no other download waits for.
    var permittedSince: ContinuousClock.Instant? {
        if case .held(let since, _) = permit { since } else { nil }
    }

    /// Sets the terms on which the permit may be asked back.
    /// - Returns: whether they are new.
    mutating func offerPermit(_ offer: ConnectionOffer) -> Bool {
        guard case .held(let since, let known) = permit, known != offer else { return false }
        permit = .held(since: since, offer: offer)
        return true
    }

    mutating func yieldPermit() {
        if case .held = permit { permit = .wanted }
    }
}
