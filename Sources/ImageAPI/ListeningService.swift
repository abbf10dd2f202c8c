internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// A server that says why it could not listen.
struct ListeningService<Server: ApplicationProtocol>: Service, CustomStringConvertible {
    let application: Server
    let place: ListenPlace
    /// The file that it listens at; nil for an address.
    let socketFile: SocketFile?

    var description: String { "listener on \(place)" }

    func run() async throws {
        try socketFile?.prepare()
        defer { socketFile?.remove() }
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenError(place, errnoCode: error.errnoCode, cause: "\(error)")
        } catch let error as SocketAddressError {
            throw ListenError(place, errnoCode: 0, cause: "\(error)")
        }
    }
}
