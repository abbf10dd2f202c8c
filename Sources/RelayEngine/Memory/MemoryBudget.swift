import BackendKit

/// How the memory for bytes in flight is divided among downloads, and who waits for some, as a value: no lock, no clock, nobody is
/// called.
///
/// A download has its full share while less than half of the memory is taken, and later the smallest one that it can run with. Above
/// three quarters those with more give back what they do not hold. When there is no room for one more, downloads wait: the caller
/// with the least is next, among equals the one who waits longest. One caller gets three quarters of the memory at most, so that
/// there is always some for others.
struct MemoryBudget: Sendable {
    /// Names one download.
    struct Ticket: Sendable, Hashable {
        let number: UInt64
    }

    /// Somebody who waited has their share now.
    struct Admission: Sendable, Equatable {
        let ticket: Ticket
        let bytes: Int64
    }

    /// What came of asking for a share.
    enum Entry: Sendable, Equatable {
        /// It is there, so large.
        case admitted(Ticket, Int64)
        /// It will be, when others leave.
        case waiting(Ticket)
        /// The caller has as many downloads as one may have.
        case tooMany
    }

    /// Whether shares should grow or shrink.
    enum Pressure: Int, Sendable {
        /// There is room for larger shares: enough below the half for one of them to grow.
        case roomy
        /// All stays as it is.
        case steady
        /// Who has more than the smallest share is to give back what is not used.
        case tight
    }

    private struct Share: Sendable {
        let caller: String
        let need: MemoryNeed
        /// 0 while it waits.
        var bytes: Int64 = 0
    }

    /// The most bytes for all together.
    let limit: Int64
    /// The most downloads of one caller, those that wait included; 0 for any number.
    let downloadsPerCaller: Int
    /// What all shares come to.
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

    /// How many downloads wait for a share.
    var waitingCount: Int { turns.count }
    /// How many downloads have a share.
    var holdingCount: Int { shares.count - turns.count }

    var pressure: Pressure {
        if waitingCount > 0 || reserved > limit / 4 * 3 { return .tight }
        return reserved < limit / 8 * 3 ? .roomy : .steady
    }

    /// A download begins.
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

    /// A download is over, or waits no longer.
    mutating func leave(_ ticket: Ticket) -> [Admission] {
        guard let share = shares.removeValue(forKey: ticket) else { return [] }
        let left = (downloadsByCaller[share.caller] ?? 0) - 1
        downloadsByCaller[share.caller] = left > 0 ? left : nil
        if share.bytes == 0 { turns.remove(ticket, [share.caller]) }
        change(share.caller, by: -share.bytes)
        return admit()
    }

    /// A download says how much it holds. Its share grows or shrinks by what there is.
    /// - Returns: the share that it has now, and who was let in by it.
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
