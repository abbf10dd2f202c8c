import Foundation
import Glibc

/// A socket that receives a server's notifications in place of a service manager (`NOTIFY_SOCKET`).
package final class NotifySocket: Sendable {
    package let path: String
    private let descriptor: Int32

    package init() throws {
        path = "/tmp/baton-notify-\(UUID().uuidString)"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// The next message that begins with `word`; nil if none arrives within a minute.
    package func message(_ word: String) async throws -> String? {
        let descriptor = descriptor
        return try await onOwnThread {
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return nil }
                let text = String(decoding: bytes.prefix(count), as: UTF8.self)
                if text.hasPrefix(word) { return text }
            }
        }
    }
}
