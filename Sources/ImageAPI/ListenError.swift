internal import Glibc

/// Why a server can't listen where it should.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    /// Where.
    public let place: ListenPlace
    let errnoCode: Int32
    let cause: String

    /// One sentence for a person.
    public var description: String {
        switch errnoCode {
        case EADDRINUSE:
            "\(place) is taken by another program: stop that one, or choose another port with server.listen or --listen."
        case EACCES: "\(place) may not be listened at by this user: choose a port from 1024, or grant CAP_NET_BIND_SERVICE."
        case EADDRNOTAVAIL: "\(place) is no address of this machine: choose another with server.listen or --listen."
        default: "\(place) can't be listened at (\(cause)): choose another with server.listen or --listen."
        }
    }
}
