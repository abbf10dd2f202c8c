import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Accepts connections and answers requests until the server stops, then waits until the last one is answered.
struct ListeningService<Responder: HTTPResponder>: Service, CustomStringConvertible where Responder.Context == APIContext {
    /// The maximum length of the queue of unaccepted connections. The system's own limit is lower on most machines.
    private static var backlog: Int32 { 4096 }

    let responder: Responder
    let target: ListenTarget
    let limits: Reloadable<ServerLimits>
    let certificate: ServerCertificate?
    let connections: OpenConnections
    let access: Reloadable<CallerAccess>
    let drain: Drain
    let logger: Logger
    /// Called once the server listens, with its port; 0 for a socket file.
    let onRunning: @Sendable (Int) async -> Void

    var description: String { "listener on \(target)" }

    /// The socket file to listen on; nil for an address and for an inherited socket.
    private var socketFile: SocketFile? {
        guard case .socketFile(let path, let mode) = target else { return nil }
        return SocketFile(path: path, mode: mode)
    }

    func run() async throws {
        let accepted = AcceptedConnections()
        let clients = ClientConnection(
            responder: { (request, writer: consuming ResponseWriter, channel) in
                try await answer(request, writer, channel)
            }, limits: limits, certificate: certificate, connections: connections, access: access)
        let socketFile = socketFile
        try socketFile?.prepare()
        defer { socketFile?.remove() }
        let listener = try await listen(accepted, clients)
        do {
            try socketFile?.opened()
        } catch {
            // The file keeps its initial mode, which admits only this user.
            logger.error(
                "server.socket_mode_failed: The mode of the socket file cannot be set.", metadata: ["error": "\(error)"])
        }
        drain.whenBegun { accepted.quiesce() }
        await withGracefulShutdownHandler {
            await onRunning(listener.channel.localAddress?.port ?? 0)
            await withDiscardingTaskGroup { group in
                do {
                    try await listener.executeThenClose { connections in
                        for try await connection in connections {
                            accepted.handedOver(connection.channel)
                            group.addTask { await clients.handle(value: connection, logger: logger) }
                        }
                    }
                } catch is CancellationError {
                    // The server stops at once.
                } catch {
                    logger.error(
                        "server.accept_stopped: The server stopped accepting connections.", metadata: ["error": "\(error)"])
                }
            }
        } onGracefulShutdown: {
            accepted.quiesce()
            accepted.closeListener()
        }
    }

    private func listen(
        _ accepted: AcceptedConnections, _ clients: ClientConnection
    ) async throws -> NIOAsyncChannel<ClientConnection.Value, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: Self.backlog)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([AcceptPause(logger: logger), accepted])
                }
            }
        let setUp: @Sendable (any Channel) -> EventLoopFuture<ClientConnection.Value> = { channel in
            clients.setup(channel: channel, logger: logger)
        }
        do {
            switch target {
            case .address(let host, let port):
                return try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
            case .socketFile(let path, _):
                return try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: setUp)
            case .inherited(let descriptor, _):
                return try await bootstrap.bind(descriptor, childChannelInitializer: setUp)
            }
        } catch let error as IOError {
            throw ListenError(target, errnoCode: error.errnoCode, cause: "\(error)")
        } catch let error as SocketAddressError {
            throw ListenError(target, errnoCode: 0, cause: "\(error)")
        }
    }

    /// Answers one request and logs it.
    private func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let began = ContinuousClock.now
        let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response = Response(status: .internalServerError)
        var status: HTTPResponse.Status?
        var length = 0
        defer {
            context.record.log(
                request, route: context.endpointPath, status: status, length: length, created: response.headers[.location],
                took: .now - began, to: context.logger)
        }
        do {
            response = try await responder.respond(to: request, context: context)
            status = response.status
        } catch let error as HTTPParserError {
            status = .badRequest
            throw error
        } catch {
            // `RequestIDMiddleware` answers every other error, so this one means that the client is gone. Nobody reads the response.
        }
        response.headers[.date] = HTTPDate.now
        response.headers[.server] = "baton"
        if drain.hasBegun { response.headers[.connection] = "close" }
        do {
            try await writer.write(response: response.head, body: response.body)
            if request.method != .head { length = response.body.contentLength ?? 0 }
        } catch is HTTPParserError {
            // The gate would answer the parser's own error with a second head.
            throw MalformedBody()
        }
    }
}

/// The request body violated HTTP after the response had begun.
private struct MalformedBody: Error {}
