package import Foundation
import Glibc

/// A listening socket that a test passes to servers in place of a service manager.
package final class ListeningSocket: Sendable {
    /// A command that runs the server in its arguments and passes the socket on standard input to it (`LISTEN_FDS`).
    package static let wrapper = [
        "/bin/bash", "-c", #"exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$@""#,
    ]

    package let port: Int
    /// The socket, for a server's standard input.
    package let handle: FileHandle

    /// Listens on a free port.
    /// - Parameter isReachable: whether the socket listens on all addresses; otherwise only on 127.0.0.1.
    package init(isReachable: Bool = false) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(isReachable ? 0 : 0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1024) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }
}
