internal import HTTPTypes
internal import Hummingbird

extension Request {
    /// Scheme and authority under which the client has reached this server, for links that lead back the same way.
    var serverAddress: String { "\(head.scheme ?? "http")://\(head.authority ?? "localhost")" }
}
