import BatonConfig
import FoundationEssentials
import Glibc

/// The listening socket that a service manager opened and passed on (systemd's socket activation: `LISTEN_PID`, `LISTEN_FDS`).
/// It stays open between two servers, so that no client is refused while one takes over from the other.
struct ActivatedSocket {
    /// The descriptor of the first socket (`SD_LISTEN_FDS_START`).
    private static let first: Int32 = 3

    let descriptor: Int32
    /// The address; nil for a Unix socket.
    let address: ListenAddress?
    /// The address or path for logs and errors.
    let name: String

    /// Takes the socket for this process; nil if there is none.
    /// - Throws: `ActivationError`.
    static func take() throws(ActivationError) -> ActivatedSocket? {
        let environment = ProcessInfo.processInfo.environment
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard let count = count(in: environment, process: getpid()) else { return nil }
        guard count == 1 else { throw .several(count) }
        return try ActivatedSocket(descriptor: first)
    }

    /// The number of sockets that the environment assigns to a process; nil if there are none.
    static func count(in environment: [String: String], process: Int32) -> Int? {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == process, let text = environment["LISTEN_FDS"],
            let count = Int(text), count > 0
        else { return nil }
        return count
    }

    private init(descriptor: Int32) throws(ActivationError) {
        self.descriptor = descriptor
        guard Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
            Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
        else { throw .notListening(descriptor) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        address = Self.address(of: descriptor)
        name = address.map { "\($0) (socket activation)" } ?? "the unix socket of the service manager"
    }

    private static func option(_ option: Int32, of descriptor: Int32) -> Int32? {
        var (value, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : nil
    }

    private static func address(of descriptor: Int32) -> ListenAddress? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &size) == 0 && address.pointee.sa_family != sa_family_t(AF_UNIX)
                    && getnameinfo(
                        address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                        NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard isKnown, let number = Int(text(port)) else { return nil }
        return ListenAddress(host: text(host), port: number)
    }
}

/// The reason why a passed socket can't be used.
enum ActivationError: Error, CustomStringConvertible {
    case several(Int)
    case notListening(Int32)
    case reachable(ListenAddress)

    var description: String {
        switch self {
        case .several(let count):
            "The service manager passed \(count) sockets (LISTEN_FDS), but Baton accepts one: keep one ListenStream in the "
                + "socket unit."
        case .notListening(let descriptor):
            "Descriptor \(descriptor) from the service manager (LISTEN_FDS) is not a listening stream socket: check the "
                + "socket unit."
        case .reachable(let address):
            "The socket from the service manager listens at \(address), which other machines can reach, but auth.mode none "
                + "does not allow that: set another auth.mode, or listen at 127.0.0.1."
        }
    }
}
