internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

/// Where clients connect.
public enum ListenPlace: Sendable, CustomStringConvertible {
    /// A name or an address, and a port; 0 takes any free one.
    case address(host: String, port: Int)
    /// A socket that listens already and was handed over by whoever started the server.
    case inherited(descriptor: Int32, name: String)

    /// As errors and logs name it.
    public var description: String {
        switch self {
        case .address(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .inherited(_, let name): name
        }
    }
}

/// Accepts clients' connections and answers their requests until the server stops; then it waits until the last one is answered.
struct ListeningService<Responder: HTTPResponder>: Service, CustomStringConvertible where Responder.Context == APIContext {
    /// How many clients may wait to be accepted; the system's own limit lies below it on most machines.
    private static var backlog: Int32 { 4096 }

    let responder: Responder
    let place: ListenPlace
    let limits: Reloadable<ImageServer.Limits>
    let certificate: ServerCertificate?
    let drain: Drain
    let logger: Logger
    /// Told the port it listens at, once it does.
    let onRunning: @Sendable (Int) async -> Void

    var description: String { "listener on \(place)" }

    func run() async throws {
        let accepted = AcceptedConnections()
        let clients = ClientConnection(
            limits: limits, certificate: certificate,
            responder: { (request, writer: consuming ResponseWriter, channel) in
                try await answer(request, writer, channel)
            })
        let listener = try await listen(accepted, clients)
        drain.whenBegun { accepted.quiesce() }
        await withGracefulShutdownHandler {
            await onRunning(listener.channel.localAddress?.port ?? 0)
            await withDiscardingTaskGroup { group in
                do {
                    try await listener.executeThenClose { connections in
                        for try await connection in connections {
                            group.addTask { await clients.handle(value: connection, logger: logger) }
                        }
                    }
                } catch {
                    logger.error("The server stopped accepting connections.", metadata: ["error": "\(error)"])
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
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(accepted) }
            }
        let setUp: @Sendable (any Channel) -> EventLoopFuture<ClientConnection.Value> = { channel in
            clients.setup(channel: channel, logger: logger)
        }
        do {
            switch place {
            case .address(let host, let port):
                return try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
            case .inherited(let descriptor, _):
                return try await bootstrap.bind(descriptor, childChannelInitializer: setUp)
            }
        } catch let error as IOError {
            throw ListenError(place: place, errnoCode: error.errnoCode, cause: "\(error)")
        } catch let error as SocketAddressError {
            throw ListenError(place: place, errnoCode: 0, cause: "\(error)")
        }
    }

    /// Answers one request, and says in the log how that went.
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
            // The client is gone: nobody reads what is written then.
        }
        response.headers[.date] = HTTPDate.now
        response.headers[.server] = "baton"
        if drain.hasBegun { response.headers[.connection] = "close" }
        do {
            try await writer.write(response: response.head, body: response.body)
            if request.method != .head { length = response.body.contentLength ?? 0 }
        } catch is HTTPParserError {
            // The parser's own error would be answered with a second head.
            throw MalformedBody()
        }
    }
}

/// A request's body broke the rules of HTTP after the answer had begun.
private struct MalformedBody: Error {}
