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
