import Synchronization

/// The memory for the bytes of all relays: a `MemoryBudget` with a lock and callbacks.
///
/// A relay reserves its share when it begins and changes it at most once a tick. Single buffers are not counted.
package final class RelayMemory: Sendable {
    /// The use of the memory.
    package struct Counts: Sendable, Equatable {
        /// The sum of all shares in bytes.
        package let reserved: Int64
        /// The number of downloads that wait for a share.
        package let waiting: Int
        /// The number of downloads refused since the start for lack of memory.
        package let refusedForMemory: Int
        /// The number of downloads refused since the start because their caller had too many.
        package let refusedForCaller: Int
    }

    private struct State {
        var budget: MemoryBudget
        var waiters: [MemoryBudget.Ticket: @Sendable (Int64) -> Void] = [:]
        var refusedForMemory = 0
        var refusedForCaller = 0
    }

    /// The most bytes of all relays together.
    package let limit: Int64
    /// How long a download waits for its share.
    package let timeout: Duration
    private let state: Mutex<State>
    private let level = Atomic(MemoryBudget.Pressure.roomy.rawValue)

    /// - Parameters:
    ///   - limit: the most bytes of all relays together.
    ///   - downloadsPerCaller: the most downloads of one caller; 0 for no limit.
    ///   - timeout: how long a download waits for its share.
    package init(limit: Int64, downloadsPerCaller: Int = 0, timeout: Duration = .seconds(10)) {
        self.limit = limit
        self.timeout = timeout
        state = Mutex(State(budget: MemoryBudget(limit: limit, downloadsPerCaller: downloadsPerCaller)))
    }

    /// The current use.
    package var counts: Counts {
        state.withLock {
            Counts(
                reserved: $0.budget.reserved, waiting: $0.budget.waitingCount, refusedForMemory: $0.refusedForMemory,
                refusedForCaller: $0.refusedForCaller)
        }
    }

    /// Whether shares should grow or shrink, as of the last change. Takes no lock.
    var pressure: MemoryBudget.Pressure { MemoryBudget.Pressure(rawValue: level.load(ordering: .relaxed)) ?? .steady }

    /// Waits for a share.
    /// - Throws: `MemoryRefusal` if none is available in time, or if the task is cancelled.
    func share(for caller: String, _ need: MemoryNeed) async throws(MemoryRefusal) -> MemoryShare {
        let (grants, grant) = AsyncStream.makeStream(of: Int64?.self)
        let entry = state.withLock { state in
            let entry = state.budget.enter(caller, need)
            if case .waiting(let ticket) = entry { state.waiters[ticket] = { grant.yield($0) } }
            if entry == .tooMany { state.refusedForCaller += 1 }
            note(state)
            return entry
        }
        switch entry {
        case .tooMany: throw .tooManyDownloads
        case .admitted(let ticket, let bytes): return MemoryShare(ticket, need, bytes, self)
        case .waiting(let ticket):
            let timer = Task { [timeout] in
                try await Task.sleep(for: timeout)
                grant.yield(nil)
            }
            defer { timer.cancel() }
            for await bytes in grants {
                if let bytes { return MemoryShare(ticket, need, bytes, self) }
                break
            }
            change { state in
                state.waiters[ticket] = nil
                state.refusedForMemory += 1
                return state.budget.leave(ticket)
            }
            throw .noMemory
        }
    }

    func leave(_ ticket: MemoryBudget.Ticket) { change { $0.budget.leave(ticket) } }

    func adjust(_ ticket: MemoryBudget.Ticket, holding: Int64) -> Int64 {
        var bytes: Int64 = 0
        change { state in
            let adjusted = state.budget.adjust(ticket, holding: holding)
            bytes = adjusted.bytes
            return adjusted.admissions
        }
        return bytes
    }

    private func change(_ body: (inout sending State) -> [MemoryBudget.Admission]) {
        let calls = state.withLock { state in
            let calls = body(&state).map { admission in (state.waiters.removeValue(forKey: admission.ticket), admission.bytes) }
            note(state)
            return calls
        }
        for (admitted, bytes) in calls { admitted?(bytes) }
    }

    private func note(_ state: State) { level.store(state.budget.pressure.rawValue, ordering: .relaxed) }
}

/// Why a download gets no memory.
package enum MemoryRefusal: Error, Sendable, Equatable {
    /// Other downloads had all of it until the timeout.
    case noMemory
    /// The caller has reached the limit on downloads.
    case tooManyDownloads
}

/// The share that one relay has of the memory. Releasing the last reference returns it.
package final class MemoryShare: Sendable {
    private let ticket: MemoryBudget.Ticket
    private let memory: RelayMemory
    private let bytes: Atomic<Int64>
    /// The need of the relay.
    let need: MemoryNeed

    fileprivate init(_ ticket: MemoryBudget.Ticket, _ need: MemoryNeed, _ bytes: Int64, _ memory: RelayMemory) {
        self.ticket = ticket
        self.memory = memory
        self.need = need
        self.bytes = Atomic(bytes)
    }

    deinit { leave() }

    /// Returns the share. Repeated calls have no effect.
    func leave() { memory.leave(ticket) }

    /// Whether the relay may fill the window of its policy.
    var isFull: Bool { bytes.load(ordering: .relaxed) >= need.full }

    /// Adjusts the share to the pressure. Takes a lock only if the share may change by more than `grain`.
    /// - Parameter holding: the number of bytes that the relay has in memory.
    /// - Returns: whether the share was adjusted.
    func follow(holding: Int64, ahead: Int64) -> Bool {
        let now = bytes.load(ordering: .relaxed)
        switch memory.pressure {
        case .tight: guard now - max(need.minimum, holding + ahead) >= Self.grain else { return false }
        case .roomy: guard now < need.full else { return false }
        case .steady: return false
        }
        bytes.store(memory.adjust(ticket, holding: holding + ahead), ordering: .relaxed)
        return true
    }

    /// The smallest change of a share, in bytes.
    private static let grain: Int64 = 256 << 10
}
