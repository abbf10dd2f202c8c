import FoundationEssentials
import NetworkAddress

/// A limit on the unknown tokens per client address, as a value: the time is an argument. An address starts with a minute's
/// allowance, which is refilled evenly. A /64 network counts as one IPv6 address, since one client may use all of its
/// addresses.
struct GuessLimit: Sendable {
    private struct Bucket {
        var left: Double
        var time: Date
    }

    /// The largest number of addresses that are tracked.
    private static let capacity = 10_000

    private let perMinute: Int
    private var buckets: [IPAddress: Bucket] = [:]

    /// - Parameter perMinute: the allowance; 0 for no limit.
    init(perMinute: Int) { self.perMinute = perMinute }

    /// The number of tracked addresses.
    var count: Int { buckets.count }

    /// Counts a guess.
    /// - Returns: how long to wait before the next one; nil if this one is allowed.
    mutating func take(from client: IPAddress, at now: Date) -> Duration? {
        guard perMinute > 0 else { return nil }
        let client = client.subscriber
        var left = left(of: client, at: now)
        guard left >= 1 else { return .seconds((1 - left) * 60 / Double(perMinute)) }
        left -= 1
        if buckets[client] == nil, buckets.count >= Self.capacity { makeRoom(at: now) }
        buckets[client] = Bucket(left: left, time: now)
        return nil
    }

    /// Refunds a guess after the token turned out to be valid.
    mutating func giveBack(to client: IPAddress) {
        let client = client.subscriber
        guard let bucket = buckets[client] else { return }
        buckets[client]?.left = min(Double(perMinute), bucket.left + 1)
    }

    private func left(of client: IPAddress, at now: Date) -> Double {
        guard let bucket = buckets[client] else { return Double(perMinute) }
        // A clock that was set back refills nothing.
        let passed = max(0, now.timeIntervalSince(bucket.time))
        return min(Double(perMinute), bucket.left + passed * Double(perMinute) / 60)
    }

    /// Removes the addresses with a full allowance, and at least the half with the largest allowance.
    private mutating func makeRoom(at now: Date) {
        let byRest = buckets.keys.map { (client: $0, left: left(of: $0, at: now)) }.sorted { $0.left > $1.left }
        let whole = byRest.count { $0.left >= Double(perMinute) }
        for entry in byRest.prefix(max(whole, Self.capacity / 2)) { buckets[entry.client] = nil }
    }
}
