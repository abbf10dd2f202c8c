import HTTPTypes
import NIOCore
import NIOHTTPTypes
import RelayEngine
import Synchronization

/// Connects a relay to an HTTP response. It holds bytes until the head is sent, then writes each slab straight to the channel
/// without waking a task. A write completes when the socket has accepted it, so the relay sees the client's backpressure.
final class HTTPResponseSink: ResponseSink {
    /// The outcome of a relay's opening.
    enum Opening: Sendable {
        /// The relay can serve.
        case committed
        /// The relay ended before it could serve.
        case ended(RelaySummary)
    }

    private struct Write: Sendable {
        let slabs: [ByteBuffer]
        let delivered: @Sendable (Int64?) -> Void
    }

    /// The progress of the response.
    private enum State {
        /// The relay has not decided whether it can serve. Bytes wait for the head, and at most one task for the decision.
        case opening(held: [Write], waiter: CheckedContinuation<Opening, Never>?)
        /// The relay can serve. Bytes wait for the head.
        case committed(held: [Write], waiter: CheckedContinuation<RelaySummary, Never>?)
        /// The head was sent, and bytes are written to the channel.
        case attached(any Channel, waiter: CheckedContinuation<RelaySummary, Never>?)
        /// The relay has ended.
        /// - Parameter hasCommitted: whether it could serve before.
        case ended(RelaySummary, hasCommitted: Bool)

        var hasCommitted: Bool {
            switch self {
            case .opening: false
            case .committed, .attached: true
            case .ended(_, let hasCommitted): hasCommitted
            }
        }
    }

    private let state = Mutex(State.opening(held: [], waiter: nil))

    /// Waits until the relay can serve or has ended.
    func opening() async -> Opening {
        await withCheckedContinuation { waiter in
            let opening: Opening? = state.withLock { state in
                switch state {
                case .opening(let held, _):
                    state = .opening(held: held, waiter: waiter)
                    return nil
                case .committed, .attached, .ended(_, hasCommitted: true): return .committed
                case .ended(let summary, hasCommitted: false): return .ended(summary)
                }
            }
            if let opening { waiter.resume(returning: opening) }
        }
    }

    /// Starts writing to a channel, once the head is sent.
    func attach(_ channel: any Channel) {
        state.withLock { state in
            switch state {
            case .committed(let held, let waiter):
                // Inside the lock, so that no later write overtakes these. Sending only schedules them on the channel's loop.
                for write in held { send(write, to: channel) }
                state = .attached(channel, waiter: waiter)
            // A relay that has ended answered its writes already.
            case .opening, .attached, .ended: break
            }
        }
    }

    /// Waits until the relay, which could serve, has ended.
    func ended() async -> RelaySummary {
        await withCheckedContinuation { waiter in
            let summary: RelaySummary? = state.withLock { state in
                switch state {
                case .opening: preconditionFailure("the relay's opening was not awaited")
                case .committed(let held, _): state = .committed(held: held, waiter: waiter)
                case .attached(let channel, _): state = .attached(channel, waiter: waiter)
                case .ended(let summary, _): return summary
                }
                return nil
            }
            if let summary { waiter.resume(returning: summary) }
        }
    }

    func relayCommitted() {
        let waiter: CheckedContinuation<Opening, Never>? = state.withLock { state in
            guard case .opening(let held, let waiter) = state else { return nil }
            state = .committed(held: held, waiter: nil)
            return waiter
        }
        waiter?.resume(returning: .committed)
    }

    func write(_ slabs: [ByteBuffer], delivered: @escaping @Sendable (Int64?) -> Void) {
        let write = Write(slabs: slabs, delivered: delivered)
        let channel: (any Channel)? = state.withLock { state in
            switch state {
            case .opening(let held, let waiter): state = .opening(held: held + [write], waiter: waiter)
            case .committed(let held, let waiter): state = .committed(held: held + [write], waiter: waiter)
            case .attached(let channel, _): return channel
            case .ended: break
            }
            return nil
        }
        if let channel { send(write, to: channel) }
    }

    func relayEnded(_ summary: RelaySummary) {
        let before = state.withLock { state in
            defer { state = .ended(summary, hasCommitted: state.hasCommitted) }
            return state
        }
        switch before {
        case .opening(let held, let waiter):
            for write in held { write.delivered(nil) }
            waiter?.resume(returning: .ended(summary))
        case .committed(let held, let waiter):
            for write in held { write.delivered(nil) }
            waiter?.resume(returning: summary)
        case .attached(_, let waiter): waiter?.resume(returning: summary)
        case .ended: preconditionFailure("a relay ends once")
        }
    }

    private func send(_ write: Write, to channel: any Channel) {
        // One turn of the event loop writes all slabs. The callbacks are in place before the bytes are flushed, so a client
        // that leaves after its last byte counts as having received everything. Each slab has its own callback, so the progress
        // of a slow client is visible.
        channel.eventLoop.execute {
            for slab in write.slabs {
                let count = Int64(slab.readableBytes)
                channel.write(HTTPResponsePart.body(slab)).whenComplete { result in
                    if case .success = result { write.delivered(count) } else { write.delivered(nil) }
                }
            }
            channel.flush()
        }
    }
}
