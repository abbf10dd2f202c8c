import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import GlanceAPI
@testable import RelayEngine

/// How a relay's bytes reach a client that takes them slowly.
@Suite struct ResponseSinkTests {
    /// Keeps what is written until the test lets it go, one part after the other.
    private final class SlowSocket: ChannelOutboundHandler {
        typealias OutboundIn = Any

        var promises: [EventLoopPromise<Void>?] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            promises.append(promise)
        }
    }

    @Test("Each slab counts once the client has taken it")
    func eachSlabCountsOnceTheClientHasTakenIt() throws {
        let socket = SlowSocket()
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(socket)
        let sink = HTTPResponseSink()
        sink.relayCommitted()
        sink.attach(channel)
        let taken = Mutex<[Int64?]>([])
        sink.write([
            ByteBuffer(repeating: 1, count: 10), ByteBuffer(repeating: 2, count: 20), ByteBuffer(repeating: 3, count: 5),
        ]) {
            bytes in taken.withLock { $0.append(bytes) }
        }
        channel.embeddedEventLoop.run()
        #expect(socket.promises.count == 3 && taken.withLock { $0 }.isEmpty)
        socket.promises[0]?.succeed()
        #expect(taken.withLock { $0 } == [10])
        socket.promises[1]?.succeed()
        #expect(taken.withLock { $0 } == [10, 20])
        socket.promises[2]?.fail(ChannelError.ioOnClosedChannel)
        #expect(taken.withLock { $0 } == [10, 20, nil])
    }

    @Test("Bytes that arrive before the head wait for it, in their order")
    func bytesBeforeTheHeadWaitForIt() throws {
        let channel = EmbeddedChannel()
        let sink = HTTPResponseSink()
        let taken = Mutex<[Int64?]>([])
        sink.write([ByteBuffer(repeating: 1, count: 10)]) { bytes in taken.withLock { $0.append(bytes) } }
        sink.relayCommitted()
        sink.write([ByteBuffer(repeating: 2, count: 20)]) { bytes in taken.withLock { $0.append(bytes) } }
        channel.embeddedEventLoop.run()
        #expect(taken.withLock { $0 }.isEmpty)
        sink.attach(channel)
        sink.write([ByteBuffer(repeating: 3, count: 5)]) { bytes in taken.withLock { $0.append(bytes) } }
        channel.embeddedEventLoop.run()
        #expect(taken.withLock { $0 } == [10, 20, 5])
    }

    @Test("A relay that ends before the head is sent gets its bytes back and its outcome reported")
    func aRelayThatEndsBeforeTheHead() async {
        let sink = HTTPResponseSink()
        let taken = Mutex<[Int64?]>([])
        sink.write([ByteBuffer(repeating: 1, count: 10)]) { bytes in taken.withLock { $0.append(bytes) } }
        sink.relayEnded(RelaySummary(outcome: .refused))
        #expect(taken.withLock { $0 } == [nil])
        guard case .ended(let summary) = await sink.opening() else {
            Issue.record("the relay counts as able to serve")
            return
        }
        #expect(summary.outcome == .refused)
    }
}
