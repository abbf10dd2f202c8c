import BackendKit
import FairQueueing
import ImageModel

/// Divides the memory for bytes in flight among downloads, as a value without locks, clocks and callbacks.
///
/// A download gets its full share while less than half of the memory is taken, and then the smallest share that it can run
/// with. Above three quarters, downloads with more than that give back unused memory. Without room for another share, downloads
/// wait: the caller with the least memory is next, among equals the one that has waited longest. One caller gets three quarters
/// of the memory at most, so that some remains for others.
struct MemoryBudget: Sendable {
    /// Identifies one download.
    struct Ticket: Sendable, Hashable {
        let number: UInt64
    }

    /// A share granted to a download that waited.
    struct Admission: Sendable, Equatable {
        let ticket: Ticket
        let bytes: Int64
    }

    /// The result of a request for a share.
    enum Entry: Sendable, Equatable {
        /// Granted, with this many bytes.
        case admitted(Ticket, Int64)
        /// To be granted when other downloads end.
        case waiting(Ticket)
        /// Refused: the caller has reached the limit on downloads.
        case tooMany
    }

    /// The pressure to grow or shrink shares.
    enum Pressure: Int, Sendable {
        /// There is enough memory below the half for one share to grow.
        case roomy
        /// Shares stay as they are.
        case steady
        /// Downloads with more than the smallest share are to give back unused memory.
        case tight
    }

    private struct Share: Sendable {
        let caller: String
        let need: MemoryNeed
        /// The size of the share; 0 while the download waits.
        var bytes: Int64 = 0
    }

    /// The memory for all downloads in bytes.
    let limit: Int64
    /// The limit on the downloads of one caller, including waiting ones; 0 for no limit.
    let downloadsPerCaller: Int
    /// The sum of all shares.
    private(set) var reserved: Int64 = 0
    private var shares: [Ticket: Share] = [:]
    private var turns = FairQueue<Ticket>()
    private var bytesByCaller: [String: Int] = [:]
    private var downloadsByCaller: [String: Int] = [:]
    private var nextNumber: UInt64 = 0

    init(limit: Int64, downloadsPerCaller: Int) {
        self.limit = limit
        self.downloadsPerCaller = downloadsPerCaller
    }

    /// The number of downloads that wait for a share.
    var waitingCount: Int { turns.count }
    /// The number of downloads with a share.
    var holdingCount: Int { shares.count - turns.count }

    var pressure: Pressure {
        if waitingCount > 0 || reserved > limit / 4 * 3 { return .tight }
        return reserved < limit / 8 * 3 ? .roomy : .steady
    }

    /// Requests a share for a download.
    mutating func enter(_ caller: String, _ need: MemoryNeed) -> Entry {
        let downloads = downloadsByCaller[caller] ?? 0
        guard downloadsPerCaller == 0 || downloads < downloadsPerCaller else { return .tooMany }
        downloadsByCaller[caller] = downloads + 1
        let ticket = Ticket(number: nextNumber)
        nextNumber += 1
        shares[ticket] = Share(caller: caller, need: need)
        turns.add(ticket, [caller])
        let admissions = admit()
        guard let own = admissions.first(where: { $0.ticket == ticket }) else { return .waiting(ticket) }
        return .admitted(ticket, own.bytes)
    }

    /// Releases the share of a download, or ends its wait.
    mutating func leave(_ ticket: Ticket) -> [Admission] {
        guard let share = shares.removeValue(forKey: ticket) else { return [] }
        let left = (downloadsByCaller[share.caller] ?? 0) - 1
        downloadsByCaller[share.caller] = left > 0 ? left : nil
        if share.bytes == 0 { turns.remove(ticket, [share.caller]) }
        change(share.caller, by: -share.bytes)
        return admit()
    }

    /// Adjusts a download's share by the bytes that it holds and the available memory.
    /// - Returns: the new share, and the downloads admitted as a result.
    mutating func adjust(_ ticket: Ticket, holding: Int64) -> (bytes: Int64, admissions: [Admission]) {
        guard var share = shares[ticket], share.bytes > 0 else { return (0, []) }
        var bytes = share.bytes
        switch pressure {
        case .tight: bytes = max(share.need.minimum, min(bytes, holding))
        case .roomy where grants(share.need.full - bytes, below: limit / 2): bytes = max(bytes, share.need.full)
        case .roomy, .steady: break
        }
        change(share.caller, by: bytes - share.bytes)
        let hasShrunk = bytes < share.bytes
        share.bytes = bytes
        shares[ticket] = share
        return (bytes, hasShrunk ? admit() : [])
    }

    private mutating func admit() -> [Admission] {
        var admissions: [Admission] = []
        while let ticket = turns.first(sharing: bytesByCaller), var share = shares[ticket] {
            let need = share.need
            let own = Int64(bytesByCaller[share.caller] ?? 0)
            if grants(need.full, below: limit / 2) {
                share.bytes = need.full
            } else if own == 0 && reserved == 0 || grants(need.minimum, below: limit) && own + need.minimum <= limit / 4 * 3 {
                share.bytes = need.minimum
            } else {
                break
            }
            _ = turns.next(sharing: bytesByCaller)
            change(share.caller, by: share.bytes)
            shares[ticket] = share
            admissions.append(Admission(ticket: ticket, bytes: share.bytes))
        }
        return admissions
    }

    private func grants(_ bytes: Int64, below bound: Int64) -> Bool { reserved + bytes <= bound }

    private mutating func change(_ caller: String, by bytes: Int64) {
        reserved += bytes
        let own = (bytesByCaller[caller] ?? 0) + Int(bytes)
        bytesByCaller[caller] = own > 0 ? own : nil
    }
}

/// The memory that a relay's bytes may take, from the receive window to the client.
struct MemoryNeed: Sendable, Equatable {
    /// The smallest window that it can run with: one chunk.
    let smallestWindow: Int64
    /// The need with that window, in bytes.
    let minimum: Int64
    /// The need with the policy's window, in bytes.
    let full: Int64

    init(smallestWindow: Int64, minimum: Int64, full: Int64) {
        self.smallestWindow = smallestWindow
        self.minimum = minimum
        self.full = full
    }

    /// The need of a relay with that plan.
    init(_ plan: RelayPlan, _ policy: RelayPolicy) {
        smallestWindow = Self.smallestWindow(plan, policy)
        minimum = Self.bytes(smallestWindow, plan, policy)
        full = max(minimum, Self.bytes(policy.window, plan, policy))
    }

    private static func smallestWindow(_ plan: RelayPlan, _ policy: RelayPolicy) -> Int64 {
        var chunk = policy.slowBoundary
        if case .chunks(let layout) = plan.verification { chunk = layout.chunkSize }
        return min(policy.window, chunk)
    }

    /// The window, the unverified bytes, and the bytes that still arrive after reading was stopped.
    private static func bytes(_ window: Int64, _ plan: RelayPlan, _ policy: RelayPolicy) -> Int64 {
        var unverified: Int64 = 0
        switch plan.verification {
        case .digest: unverified = policy.tail
        case .chunks(let layout): unverified = RelayStateMachine.unverifiedLimit(window, layout, policy)
        case .none: break
        }
        return min(window + unverified, plan.end - plan.start) + policy.batch
    }
}
