import Access
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// A client's connection: TLS, HTTP/1, and every limit that a connection has.
struct ClientConnection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: Responder
    /// Read once for each connection.
    let limits: Reloadable<ServerLimits>
    /// What is shown to clients, who must speak TLS then; nil for plain HTTP.
    let certificate: ServerCertificate?
    /// All of them, of which this one is to be one.
    let connections: OpenConnections
    /// Says which clients are proxies.
    let access: Reloadable<CallerAccess>

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let limits = limits.current
        let isProxy = access.current.trusted.isProxy(channel.remoteAddress?.ipAddress)
        guard connections.take(channel, isProxy: isProxy, limits: limits, logger: logger) else {
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        let id = ObjectIdentifier(channel)
        return channel.eventLoop.makeCompletedFuture {
            // Over TLS the end of the client's side is the end of the connection: one that was cut off looks the same.
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: certificate == nil)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(StalledReader(limit: .init(limits.stallTimeout)))
            if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
            try pipeline.addHandler(HeadTimeout(limit: .init(limits.headTimeout), countsHandshake: certificate != nil))
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = limits.headerSize
            decoding.maxHeaderListSize = limits.headerSize
            // Requests in a row are put in order by the channel's reader, which takes one after the other; and the types of HTTP's
            // fields let nothing through that would break a head.
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoding)
            let client = channel.remoteAddress?.ipAddress
            try pipeline.addHandler(
                RequestGate { [connections] in
                    connections.note(id, isBusy: $0)
                } noteRefusal: {
                    RequestRecord.log($0, from: client, to: logger)
                })
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: certificate != nil))
            try pipeline.addHandlers([ClientWatch(), HeadWatch(), FirstRequestGrace()])
            try pipeline.addHandler(IdleTimeout(limit: .init(limits.idleTimeout)))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
