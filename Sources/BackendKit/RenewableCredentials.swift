/// What a driver shows to be let in and what ends on its own: a token.
///
/// A driver reads its credentials while it makes a request, on a loop, and never waits there. Who carries out requests sees to it
/// that they are ready first, and has them renewed once when an answer says that they are good no longer.
package protocol RenewableCredentials: Sendable {
    /// How often they have been fetched: 0 before the first time. It names the credentials that a request was made with.
    var generation: Int { get }

    /// Whether a request that is made now carries credentials that should be good.
    var areReady: Bool { get }

    /// Fetches credentials, unless there are newer ones than those of `generation` already. Whoever asks while a fetch runs waits
    /// for that one.
    /// - Throws: `AttemptFailure`: of class `credentials` when what was shown is refused, `backend` when the fetch failed.
    func renew(beyond generation: Int) async throws(AttemptFailure)
}
