import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import GlanceAPI

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
}
