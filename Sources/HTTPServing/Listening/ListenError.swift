import Glibc

/// Why the server can't listen on its target.
package struct ListenError: Error, Sendable, CustomStringConvertible {
    package let target: ListenTarget
    let errnoCode: Int32
    let cause: String

    /// - Parameter cause: a description to use instead of the system's text for the number.
    package init(_ target: ListenTarget, errnoCode: Int32, cause: String? = nil) {
        self.target = target
        self.errnoCode = errnoCode
        self.cause = cause ?? String(cString: strerror(errnoCode))
    }

    /// The message for the operator: one sentence.
    package var description: String {
        if case .socketFile = target { return ofSocketFile }
        return switch errnoCode {
        case EADDRINUSE:
            "\(target) is taken by another program: stop that one, or choose another port with server.listen or --listen."
        case EACCES: "This user may not listen on \(target): choose a port from 1024, or grant CAP_NET_BIND_SERVICE."
        case EADDRNOTAVAIL: "\(target) is not an address of this machine: choose another with server.listen or --listen."
        default: "Can't listen on \(target) (\(cause)): choose another with server.listen or --listen."
        }
    }

    private var ofSocketFile: String {
        let advice = "choose another path with server.listen or --listen."
        return switch errnoCode {
        case EADDRINUSE: "\(target) is taken by another program that listens there: stop that one, or \(advice)"
        case ENOTSOCK: "Can't listen on \(target), because the file there is not a socket: \(advice)"
        case ENOENT: "Can't listen on \(target), because its directory does not exist: create it, or \(advice)"
        case EACCES: "Can't listen on \(target), because this user may not write in its directory: \(advice)"
        default: "Can't listen on \(target) (\(cause)): \(advice)"
        }
    }
}
