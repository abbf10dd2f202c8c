import Access
import FoundationEssentials

/// A cache of validated and refused tokens, by the tokens' digests. A value: the time is an argument.
struct AuthenticationCache {
    /// What the cache knows about a token.
    enum Decision: Equatable {
        /// The caller, from a recent validation.
        case known(Caller)
        /// The caller, from an old validation. It should be repeated; if it can't be, the caller stays valid.
        case stale(Caller)
        /// The token was refused recently.
        case refused
        /// The token was valid and has expired.
        case expired
        /// The token is not in the cache.
        case absent
    }

    private struct Validation {
        let caller: Caller
        let expires: Date
        let validatedAt: Date
    }

    private let capacity: Int
    private let lifetime: TimeInterval
    private let refusalLifetime: TimeInterval
    private var validations: [TokenDigest: Validation] = [:]
    private var refused: [TokenDigest: Date] = [:]

    /// - Parameters:
    ///   - capacity: the largest number of valid tokens, and of refused tokens; at least 4.
    ///   - lifetime: how many seconds a validation is cached.
    ///   - refusalLifetime: how many seconds a refusal is cached.
    init(capacity: Int, lifetime: TimeInterval, refusalLifetime: TimeInterval) {
        self.capacity = capacity
        self.lifetime = lifetime
        self.refusalLifetime = refusalLifetime
    }

    /// The number of cached tokens.
    var count: Int { validations.count + refused.count }

    func decision(on token: TokenDigest, at now: Date) -> Decision {
        if let entry = validations[token] {
            if entry.expires <= now { return .expired }
            return isYoung(entry.validatedAt, lifetime, now) ? .known(entry.caller) : .stale(entry.caller)
        }
        if let time = refused[token], isYoung(time, refusalLifetime, now) { return .refused }
        return .absent
    }

    mutating func admit(_ token: TokenDigest, as caller: Caller, until expires: Date, at now: Date) {
        refused[token] = nil
        if validations[token] == nil, validations.count >= capacity {
            validations = validations.filter { $0.value.expires > now }
            // If the cache is still full, the quarter that was validated longest ago is removed at once, so that this is rare.
            if validations.count >= capacity {
                let oldest = validations.sorted { $0.value.validatedAt < $1.value.validatedAt }.prefix(max(1, capacity / 4))
                for (key, _) in oldest { validations[key] = nil }
            }
        }
        validations[token] = Validation(caller: caller, expires: expires, validatedAt: now)
    }

    mutating func refuse(_ token: TokenDigest, at now: Date) {
        validations[token] = nil
        if refused[token] == nil, refused.count >= capacity {
            refused = refused.filter { isYoung($0.value, refusalLifetime, now) }
            if refused.count >= capacity { refused = [:] }  // only a flood of guesses fills it
        }
        refused[token] = now
    }

    /// An entry from the future, after the clock was set back, counts as old.
    private func isYoung(_ time: Date, _ lifetime: TimeInterval, _ now: Date) -> Bool {
        let age = now.timeIntervalSince(time)
        return age >= 0 && age < lifetime
    }
}
