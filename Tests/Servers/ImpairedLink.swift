import Foundation
import Glibc
import Synchronization

/// A TCP forwarder between a client and a server on this machine that delays or stops the server's bytes, as a bad network
/// does.
package final class ImpairedLink: Sendable {
    /// The condition of the link.
    package enum State: Sendable, Equatable {
        /// All bytes pass.
        case clear
        /// The server's bytes pass at this rate at most on each connection.
        case slow(bytesPerSecond: Int64)
        /// No bytes pass, and both connections stay open.
        case silent
    }

    /// The listening port on 127.0.0.1.
    package let port: Int
    private let listener: Int32
    private let state = Mutex(State.clear)

    /// Listens on a free port.
    /// - Parameter target: the server's port on 127.0.0.1.
    package init(to target: Int) throws {
        (listener, port) = try Self.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let near = accept(listener, nil, nil)
                if near < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard near >= 0, let self else { break }  // shut down by `deinit`
                guard let far = Self.connect(to: target) else {
                    close(near)
                    continue
                }
                for socket in [near, far] { _ = fcntl(socket, F_SETFD, FD_CLOEXEC) }
                Thread.detachNewThread { self.carry(near, far) }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Changes the condition for all connections.
    package func set(_ new: State) { state.withLock { $0 = new } }

    /// Forwards bytes in both directions until one side closes its connection.
    private func carry(_ near: Int32, _ far: Int32) {
        defer {
            close(near)
            close(far)
        }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let state = state.withLock { $0 }
            var descriptors = [near, far].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if state == .silent { for index in descriptors.indices { descriptors[index].events = 0 } }
            // Polls for at most 10 ms, so that a change of the condition takes effect.
            let count = poll(&descriptors, 2, 10)
            if count < 0, errno != EINTR { return }
            if state == .silent {
                // Nothing is read, but a client that closes its connection is noticed.
                if descriptors[0].revents != 0 { return }
                continue
            }
            for (index, source) in [near, far].enumerated() where descriptors[index].revents != 0 {
                let count = recv(source, &chunk, chunk.count, 0)
                guard count > 0, send(chunk[..<count], to: source == near ? far : near) else { return }
                if case .slow(let bytesPerSecond) = state, source == far {
                    _ = poll(nil, 0, Int32(Int64(count) * 1000 / bytesPerSecond))
                }
            }
        }
    }

    private func send(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return address
    }

    private static func connect(to port: Int) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address(port)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return socket }
        close(socket)
        return nil
    }

    private static func listen() throws -> (Int32, Int) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && Glibc.listen(socket, 64) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }
}
