internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// A client's connection: what stands between the socket and HTTP, and then what Hummingbird makes of it.
struct ClientConnection<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let limits: ImageServer.Limits
    /// What is shown to clients, who must speak TLS then; nil for plain HTTP.
    let certificate: ServerCertificate?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(StalledReader(limit: .init(limits.stallTimeout)))
            if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
            try pipeline.addHandler(HeadTimeout(limit: .init(limits.headTimeout), countsHandshake: certificate != nil))
        }
        .flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 for clients, with every limit that a connection has.
    static func clients(_ limits: ImageServer.Limits, _ certificate: ServerCertificate?) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            ClientConnection(
                base: HTTP1Channel(
                    responder: responder,
                    configuration: .init(
                        additionalChannelHandlers: [ClientWatch(), HeadWatch()]
                            + (certificate == nil ? [] : [SchemeMark()]),
                        idleTimeout: .init(limits.idleTimeout),
                        httpDecoderConfiguration: .init(
                            maxHeaderFieldSize: limits.headerSize, maxHeaderListSize: limits.headerSize))),
                limits: limits, certificate: certificate)
        }
    }
}
