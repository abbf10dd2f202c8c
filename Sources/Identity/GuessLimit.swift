import FoundationEssentials
import NetworkAddress

/// How many tokens that nobody has each client address may still send, as a value: the time is given. An address has a minute's worth
/// at first, and gets them back evenly. One network of 64 bits counts as one address of version 6: whoever has one has them all.
struct GuessLimit: Sendable {
    private struct Bucket {
        var left: Double
        var time: Date
    }

    /// The most addresses that are remembered.
    private static let capacity = 10_000

    private let perMinute: Int
    private var buckets: [IPAddress: Bucket] = [:]

    /// - Parameter perMinute: 0 for any number.
    init(perMinute: Int) { self.perMinute = perMinute }

    /// How many addresses are remembered.
    var count: Int { buckets.count }

    /// Counts a guess.
    /// - Returns: how long to wait before the next one; nil when this one may be made.
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

    /// It was no guess.
    mutating func giveBack(to client: IPAddress) {
        let client = client.subscriber
        guard let bucket = buckets[client] else { return }
        buckets[client]?.left = min(Double(perMinute), bucket.left + 1)
    }

    private func left(of client: IPAddress, at now: Date) -> Double {
        guard let bucket = buckets[client] else { return Double(perMinute) }
        // A clock that was set back gives nothing.
        let passed = max(0, now.timeIntervalSince(bucket.time))
        return min(Double(perMinute), bucket.left + passed * Double(perMinute) / 60)
    }

    /// Forgets addresses that have everything back; if there are too few, the half that has the most.
    private mutating func makeRoom(at now: Date) {
        let byRest = buckets.keys.map { (client: $0, left: left(of: $0, at: now)) }.sorted { $0.left > $1.left }
        let whole = byRest.count { $0.left >= Double(perMinute) }
        for entry in byRest.prefix(max(whole, Self.capacity / 2)) { buckets[entry.client] = nil }
    }
}
