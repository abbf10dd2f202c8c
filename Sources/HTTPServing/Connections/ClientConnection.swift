import Access
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// Sets up a client's connection: TLS, HTTP/1 and the limits of a connection.
struct ClientConnection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: Responder
    /// Read once per connection.
    let limits: Reloadable<ServerLimits>
    /// The certificate of a TLS server; nil for plain HTTP.
    let certificate: ServerCertificate?
    /// The open connections, which this one joins.
    let connections: OpenConnections
    /// Tells which clients are proxies.
    let access: Reloadable<CallerAccess>

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let limits = limits.current
        let isProxy = access.current.trusted.isProxy(channel.remoteAddress?.ipAddress)
        guard connections.take(channel, isProxy: isProxy, limits: limits, logger: logger) else {
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        let id = ObjectIdentifier(channel)
        return channel.eventLoop.makeCompletedFuture {
            // With TLS a half-closed connection counts as closed: it can't be told from a truncated one.
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: certificate == nil)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(StalledReader(limit: .init(limits.stallTimeout)))
            if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
            try pipeline.addHandler(HeadTimeout(limit: .init(limits.headTimeout), isHandshakeCounted: certificate != nil))
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = limits.headerSize
            decoding.maxHeaderListSize = limits.headerSize
            // Pipelining assistance is off because the channel's reader takes one request at a time. Header validation is off
            // because the types of HTTP fields admit no invalid values.
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
