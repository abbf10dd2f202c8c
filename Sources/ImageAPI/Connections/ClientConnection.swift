internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// A client's connection: what stands between the socket and HTTP, and then what Hummingbird makes of it.
struct ClientConnection: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    /// Read once for each connection.
    let limits: Reloadable<ImageServer.Limits>
    /// What is shown to clients, who must speak TLS then; nil for plain HTTP.
    let certificate: ServerCertificate?
    /// Who answers a request.
    let responder: HTTPChannelHandler.Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let limits = limits.current
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(StalledReader(limit: .init(limits.stallTimeout)))
            if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
            try pipeline.addHandler(HeadTimeout(limit: .init(limits.headTimeout), countsHandshake: certificate != nil))
        }
        .flatMap { http(limits).setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await http(limits.current).handle(value: value, logger: logger) }

    /// HTTP/1.1 with every limit that a connection has.
    private func http(_ limits: ImageServer.Limits) -> HTTP1Channel {
        HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ClientWatch(), HeadWatch(), FirstRequestGrace()]
                    + (certificate == nil ? [] : [SchemeMark()]),
                idleTimeout: .init(limits.idleTimeout),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerSize, maxHeaderListSize: limits.headerSize)))
    }
}
