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
        let taken: @Sendable (Int64?) -> Void
    }

    private struct State {
        var opening: Opening?
        var openingWaiter: CheckedContinuation<Opening, Never>?
        var channel: (any Channel)?
        var held: [Write] = []
        var summary: RelaySummary?
        var endWaiter: CheckedContinuation<RelaySummary, Never>?
    }

    private let state = Mutex(State())

    /// Waits until the relay can serve or has ended.
    func opening() async -> Opening {
        await withCheckedContinuation { waiter in
            let opening = state.withLock { state in
                if state.opening == nil { state.openingWaiter = waiter }
                return state.opening
            }
            if let opening { waiter.resume(returning: opening) }
        }
    }

    /// Starts writing to a channel, once the head is sent.
    func attach(_ channel: any Channel) {
        state.withLock { state in
            state.channel = channel
            // Inside the lock, so that no later write overtakes these. Sending only schedules them on the channel's loop.
            for write in state.held { send(write, to: channel) }
            state.held = []
        }
    }

    /// Waits until the relay has ended.
    func ended() async -> RelaySummary {
        await withCheckedContinuation { waiter in
            let summary = state.withLock { state in
                if state.summary == nil { state.endWaiter = waiter }
                return state.summary
            }
            if let summary { waiter.resume(returning: summary) }
        }
    }

    func relayCommitted() { open(.committed) }

    func write(_ slabs: [ByteBuffer], taken: @escaping @Sendable (Int64?) -> Void) {
        let write = Write(slabs: slabs, taken: taken)
        let channel = state.withLock { state in
            if state.channel == nil { state.held.append(write) }
            return state.channel
        }
        if let channel { send(write, to: channel) }
    }

    func relayEnded(_ summary: RelaySummary) {
        let (waiter, held) = state.withLock { state in
            state.summary = summary
            defer {
                state.endWaiter = nil
                state.held = []
            }
            return (state.endWaiter, state.held)
        }
        for write in held { write.taken(nil) }
        open(.ended(summary))
        waiter?.resume(returning: summary)
    }

    private func open(_ opening: Opening) {
        let waiter = state.withLock { state in
            if state.opening == nil { state.opening = opening }
            defer { state.openingWaiter = nil }
            return state.openingWaiter
        }
        waiter?.resume(returning: opening)
    }

    private func send(_ write: Write, to channel: any Channel) {
        // One turn of the event loop writes all slabs. The callbacks are in place before the bytes are flushed, so a client
        // that leaves after its last byte counts as having received everything. Each slab has its own callback, so the progress
        // of a slow client is visible.
        channel.eventLoop.execute {
            for slab in write.slabs {
                let count = Int64(slab.readableBytes)
                channel.write(HTTPResponsePart.body(slab)).whenComplete { result in
                    if case .success = result { write.taken(count) } else { write.taken(nil) }
                }
            }
            channel.flush()
        }
    }
}
