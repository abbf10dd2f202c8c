internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// A server that says why it could not listen.
struct ListeningService<Server: ApplicationProtocol>: Service, CustomStringConvertible {
    let application: Server
    let host: String
    let port: Int

    var description: String { "listener on \(host):\(port)" }

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenError(host: host, port: port, errnoCode: error.errnoCode, cause: "\(error)")
        } catch let error as SocketAddressError {
            throw ListenError(host: host, port: port, errnoCode: 0, cause: "\(error)")
        }
    }
}
