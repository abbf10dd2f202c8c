import HTTPTypes
import NIOCore
import NIOHTTPTypes
import RelayEngine
import Synchronization

/// The way from a relay to an HTTP response: holds what comes before the head is out, then writes straight to the channel, slab
/// by slab, without waking a task for each. A write is done when the socket took it, so the relay sees real backpressure.
final class HTTPResponseSink: ResponseSink {
    /// How the relay's beginning turned out.
    enum Opening: Sendable {
        /// It can serve.
        case committed
        /// It ended before it could.
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

    /// Waits until the relay can serve or cannot.
    func opening() async -> Opening {
        await withCheckedContinuation { waiter in
            let opening = state.withLock { state in
                if state.opening == nil { state.openingWaiter = waiter }
                return state.opening
            }
            if let opening { waiter.resume(returning: opening) }
        }
    }

    /// The head is out: from now on bytes go to the channel.
    func attach(_ channel: any Channel) {
        state.withLock { state in
            state.channel = channel
            // Under the lock, so that no later write overtakes these; sending only leaves them to the channel's loop.
            for write in state.held { send(write, to: channel) }
            state.held = []
        }
    }

    /// Waits until the relay is over.
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
        // One turn of the channel's loop for all of it; and there the callbacks are in place before the bytes are out, so that a
        // client which leaves at its last byte can't be seen to go before it is seen to have everything. A callback for each slab:
        // a slow client is seen to take one after the other.
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
