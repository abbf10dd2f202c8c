/// What a server listens on.
package enum ListenTarget: Sendable, CustomStringConvertible {
    /// A name or an address, and a port; 0 chooses a free port.
    case address(host: String, port: Int)
    /// A socket file at this path, with this mode. Users who may write the file may connect.
    case socketFile(path: String, mode: UInt32)
    /// A listening socket that the parent process passed on, such as systemd.
    case inherited(descriptor: Int32, name: String)

    /// The target as errors and log lines name it.
    package var description: String {
        switch self {
        case .address(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socketFile(let path, _): "unix:\(path)"
        case .inherited(_, let name): name
        }
    }
}
