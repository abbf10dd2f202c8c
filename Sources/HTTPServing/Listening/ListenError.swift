import Glibc

/// Why a server can't listen where it should.
package struct ListenError: Error, Sendable, CustomStringConvertible {
    /// Where.
    package let place: ListenTarget
    let errnoCode: Int32
    let cause: String

    /// An error by its number, and in the words of `cause` where the number says too little.
    package init(_ place: ListenTarget, errnoCode: Int32, cause: String? = nil) {
        self.place = place
        self.errnoCode = errnoCode
        self.cause = cause ?? String(cString: strerror(errnoCode))
    }

    /// One sentence for a person.
    package var description: String {
        if case .socketFile = place { return ofSocketFile }
        return switch errnoCode {
        case EADDRINUSE:
            "\(place) is taken by another program: stop that one, or choose another port with server.listen or --listen."
        case EACCES: "\(place) may not be listened at by this user: choose a port from 1024, or grant CAP_NET_BIND_SERVICE."
        case EADDRNOTAVAIL: "\(place) is no address of this machine: choose another with server.listen or --listen."
        default: "\(place) can't be listened at (\(cause)): choose another with server.listen or --listen."
        }
    }

    private var ofSocketFile: String {
        let advice = "choose another path with server.listen or --listen."
        return switch errnoCode {
        case EADDRINUSE: "\(place) is taken by another program that listens there: stop that one, or \(advice)"
        case ENOTSOCK: "\(place) can't be listened at, because there is a file that is no socket: \(advice)"
        case ENOENT: "\(place) can't be listened at, because its directory does not exist: make it, or \(advice)"
        case EACCES: "\(place) can't be listened at, because this user may not write in its directory: \(advice)"
        default: "\(place) can't be listened at (\(cause)): \(advice)"
        }
    }
}

/// Where clients connect.
package enum ListenTarget: Sendable, CustomStringConvertible {
    /// A name or an address, and a port; 0 takes any free one.
    case address(host: String, port: Int)
    /// A file at this path, with this mode: who may write it may connect.
    case socketFile(path: String, mode: UInt32)
    /// A socket that listens already and was handed over by the process that started the server.
    case inherited(descriptor: Int32, name: String)

    /// As errors and logs name it.
    package var description: String {
        switch self {
        case .address(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socketFile(let path, _): "unix:\(path)"
        case .inherited(_, let name): name
        }
    }
}
