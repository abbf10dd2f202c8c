import Foundation
import Glibc

/// A proxy's tunnel after a CONNECT, which copies bytes in both directions until one side closes.
struct Tunnel {
    private let far: Int32

    /// Connects to a port of 127.0.0.1.
    init(to port: Int) throws {
        far = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    /// - Parameter stop: a descriptor that ends the tunnel when it becomes readable.
    func run(with near: Int32, until stop: Int32) {
        defer { close(far) }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            var descriptors = [near, far, stop].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&descriptors, 3, -1) > 0, descriptors[2].revents == 0 else { return }
            for (index, source) in [near, far].enumerated() where descriptors[index].revents != 0 {
                let count = recv(source, &chunk, chunk.count, 0)
                guard count > 0, carry(chunk[..<count], to: source == near ? far : near) else { return }
            }
        }
    }

    private func carry(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var descriptor = pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
                guard poll(&descriptor, 1, 120_000) > 0 else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
