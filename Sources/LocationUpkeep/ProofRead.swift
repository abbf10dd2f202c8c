internal import ImageModel
internal import LocationSelection
internal import NIOCore
internal import RelayEngine
internal import Synchronization

/// Reads one location alone and whole, for its digest.
struct ProofRead {
    let relays: Relays

    /// What the read gave, and what pinned the object if it matched.
    func run(
        _ location: Location, of representation: Representation, isFresh: Bool
    ) async -> (reading: BlameVerdict.Reading, validator: Validator?) {
        let sink = Drain()
        let selection = relays.select([location], for: .whole)
        guard !selection.ranked.isEmpty else { return (.unsettled, nil) }
        let relay = relays.relay(of: representation, range: nil, over: selection, isFresh: isFresh, to: sink)
        let summary = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                sink.waiter.withLock { $0 = waiter }
                relay.start()
            }
        } onCancel: {
            relay.clientGone()
        }
        if summary.outcome == .finished { return (.matched, summary.provenAlone?.validator) }
        if !summary.disproofs.isEmpty, let digest = summary.digest { return (.computed(digest), nil) }
        return (.unsettled, nil)
    }

    /// Where the bytes of a read go that only its digest is wanted of.
    private final class Drain: RelayOutlet {
        let waiter = Mutex<CheckedContinuation<RelaySummary, Never>?>(nil)

        func relayCommitted() {}

        func write(_ slabs: [ByteBuffer], done: @escaping @Sendable (Bool) -> Void) { done(true) }

        func relayEnded(_ summary: RelaySummary) {
            waiter.withLock { waiter in
                waiter?.resume(returning: summary)
                waiter = nil
            }
        }
    }
}
