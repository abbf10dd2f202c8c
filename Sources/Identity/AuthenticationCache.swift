import FoundationEssentials

/// What is remembered of answers about tokens, by the tokens' digests. It knows no clock: the time is given.
struct AuthenticationCache {
    /// What is known of a token.
    enum Decision: Equatable {
        /// Its caller, from an answer that is young enough.
        case known(Caller)
        /// Its caller, from an answer that should be asked for again, and stands if that can't be done.
        case stale(Caller)
        /// It was refused a short while ago.
        case refused
        /// It was known, and its time is over.
        case expired
        /// Nothing.
        case absent
    }

    private struct Admitted {
        let caller: Caller
        let expires: Date
        let asked: Date
    }

    private let capacity: Int
    private let lifetime: TimeInterval
    private let refusalLifetime: TimeInterval
    private var admitted: [TokenDigest: Admitted] = [:]
    private var refused: [TokenDigest: Date] = [:]

    /// - Parameters:
    ///   - capacity: the most tokens remembered as admitted, and the most remembered as refused; at least 4.
    ///   - lifetime: how many seconds an answer stands.
    ///   - refusalLifetime: how many seconds a refusal stands.
    init(capacity: Int, lifetime: TimeInterval, refusalLifetime: TimeInterval) {
        self.capacity = capacity
        self.lifetime = lifetime
        self.refusalLifetime = refusalLifetime
    }

    /// How many tokens are remembered.
    var count: Int { admitted.count + refused.count }

    func decision(on token: TokenDigest, at now: Date) -> Decision {
        if let entry = admitted[token] {
            if entry.expires <= now { return .expired }
            return isYoung(entry.asked, lifetime, now) ? .known(entry.caller) : .stale(entry.caller)
        }
        if let time = refused[token], isYoung(time, refusalLifetime, now) { return .refused }
        return .absent
    }

    mutating func admit(_ token: TokenDigest, as caller: Caller, until expires: Date, at now: Date) {
        refused[token] = nil
        if admitted[token] == nil, admitted.count >= capacity {
            admitted = admitted.filter { $0.value.expires > now }
            // Still full: the quarter that was asked about longest ago goes, at once, so that this is rare.
            if admitted.count >= capacity {
                let oldest = admitted.sorted { $0.value.asked < $1.value.asked }.prefix(max(1, capacity / 4))
                for (key, _) in oldest { admitted[key] = nil }
            }
        }
        admitted[token] = Admitted(caller: caller, expires: expires, asked: now)
    }

    mutating func refuse(_ token: TokenDigest, at now: Date) {
        admitted[token] = nil
        if refused[token] == nil, refused.count >= capacity {
            refused = refused.filter { isYoung($0.value, refusalLifetime, now) }
            if refused.count >= capacity { refused = [:] }  // a flood of guesses: each costs a question, as it would anyway
        }
        refused[token] = now
    }

    /// A clock that was set back makes an answer old, never young.
    private func isYoung(_ time: Date, _ lifetime: TimeInterval, _ now: Date) -> Bool {
        let age = now.timeIntervalSince(time)
        return age >= 0 && age < lifetime
    }
}
