internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Watches the heads of requests: tells `HeadTimeout` of them, and answers one that is larger than it may be with 431 (RFC 6585
/// section 5), which it lets the client read before the connection ends.
final class HeadWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Who goes on sending would never see the answer if the connection ended at once: the system drops it then. So what still comes
    /// is read and dropped for a while.
    private static let patience: TimeAmount = .seconds(2)

    private var timeout: HeadTimeout?
    private var answersDue = 0
    private var isOver = false

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

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isOver { return }  // the decoder's, about each piece that comes behind
        // While an earlier request is being answered no other answer can be put between.
        guard case .headerOverflow? = error as? HTTPParserError, answersDue == 0 else { return context.fireErrorCaught(error) }
        isOver = true
        var body = context.channel.allocator.buffer(capacity: 256)
        body.writeString(
            #"{"error": {"code": 431, "title": "Request Header Fields Too Large", "message": "The head of the request is larger than "#
                + #"server.max_header_size: send fewer or shorter header fields, or a shorter URL."}}"#)
        let fields: HTTPFields = [
            .contentType: "application/json", .contentLength: String(body.readableBytes), .connection: "close",
        ]
        context.write(wrapOutboundOut(.head(.init(status: .requestHeaderFieldsTooLarge, headerFields: fields))), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}
