import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Tells `HeadTimeout`, which sees bytes, what they were: where heads end, and when all requests are answered.
final class HeadWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var timeout: HeadTimeout?
    private var answersDue = 0

    func handlerAdded(context: ChannelHandlerContext) {
        timeout = try? context.pipeline.syncOperations.handler(type: HeadTimeout.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timeout = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            answersDue += 1
            timeout?.headCame()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answersDue -= 1
            if answersDue <= 0 { timeout?.allIsAnswered() }
        }
        context.write(data, promise: promise)
    }
}
