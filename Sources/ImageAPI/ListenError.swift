internal import Glibc

/// Why a server can't listen where it should.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    /// Where.
    public let host: String
    /// At which port.
    public let port: Int
    let errnoCode: Int32
    let cause: String

    /// An error by its number.
    public init(host: String, port: Int, errnoCode: Int32, cause: String? = nil) {
        self.host = host
        self.port = port
        self.errnoCode = errnoCode
        self.cause = cause ?? String(cString: strerror(errnoCode))
    }

    /// One sentence for a person.
    public var description: String {
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        return switch errnoCode {
        case EADDRINUSE:
            "\(place) is taken by another program: stop that one, or choose another port with server.listen or --listen."
        case EACCES: "\(place) may not be listened at by this user: choose a port from 1024, or grant CAP_NET_BIND_SERVICE."
        case EADDRNOTAVAIL: "\(place) is no address of this machine: choose another with server.listen or --listen."
        default: "\(place) can't be listened at (\(cause)): choose another with server.listen or --listen."
        }
    }
}
