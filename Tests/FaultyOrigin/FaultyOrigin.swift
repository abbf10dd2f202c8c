import Foundation
import Glibc
import Synchronization
import Waiting

/// A web server with scripted faults. It uses blocking threads, so that "a RST after n bytes" is exact.
package final class FaultyOrigin: Sendable {
    /// What an origin has received and sent so far.
    package struct Record: Sendable {
        /// Every request, in order.
        package var requests: [OriginRequest] = []
        /// The number of body bytes written to sockets.
        package var bodyBytesSent: Int64 = 0
        /// The number of open connections.
        package var openConnections = 0
        /// How often a connection was closed because the client did not read.
        package var unreadEnds = 0
        /// The number of concurrent responses. A response counts until its last write, after which the client may have all
        /// bytes.
        package var answers = AnswerCount()
        var connections = 0

        /// The requests that are downloads, not probes.
        package var downloads: [OriginRequest] { requests.filter { !$0.isProbe } }
    }

    private struct State {
        var record = Record()
        var waiters: [(condition: @Sendable (Record) -> Bool, waiter: AsyncStream<Void>.Continuation)] = []
    }

    /// The content that the origin serves at every path.
    package let content: PatternedContent
    /// The listening port on 127.0.0.1, or on ::1.
    package let port: Int
    /// Whether the origin listens on ::1 instead of 127.0.0.1.
    private let isIPv6: Bool
    let etag: String?
    let behaviour: @Sendable (OriginRequest) -> Behaviour
    private let listener: Int32
    /// A descriptor that becomes readable when the origin is stopped, and stays so.
    let stopSignal: Int32
    private let stopSwitch: Int32
    private let state = Mutex(State())

    /// Starts an origin on a free port.
    /// - Parameters:
    ///   - isIPv6: whether to listen on ::1 instead of 127.0.0.1.
    ///   - behaviour: chooses how to answer each request; called on the thread of the connection.
    package init(
        _ content: PatternedContent, etag: String? = "\"v1\"", isIPv6: Bool = false,
        behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
    ) throws {
        self.content = content
        self.etag = etag
        self.behaviour = behaviour
        self.isIPv6 = isIPv6
        (listener, port) = try isIPv6 ? Self.listen6() : Self.listen()
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (stopSignal, stopSwitch) = (ends[0], ends[1])
        Thread.detachNewThread { self.accept() }
    }

    /// Refuses new connections from now on, and makes the threads of all connections close them with a RST.
    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        _ = Glibc.write(stopSwitch, "x", 1)
    }

    deinit {
        // Not in `stop`, since a second `stop` could shut down another descriptor that got the same number.
        close(listener)
        close(stopSignal)
        close(stopSwitch)
    }

    /// The URL of a path on this origin.
    package func url(_ path: String = "image") -> String { url(path, host: isIPv6 ? "[::1]" : "127.0.0.1") }

    /// The same URL with another host name.
    package func url(_ path: String = "image", host: String) -> String { "http://\(host):\(port)/\(path)" }

    /// The record so far.
    package var record: Record { state.withLock { $0.record } }

    /// Waits until the record fulfils a condition. If that does not happen in time, returns after a message on standard error.
    package func waitUntil(
        file: String = #fileID, line: Int = #line, _ condition: @escaping @Sendable (Record) -> Bool
    ) async {
        let (end, waiter) = AsyncStream.makeStream(of: Void.self)
        let holds = state.withLock { state in
            if condition(state.record) { return true }
            state.waiters.append((condition, waiter))
            return false
        }
        if !holds { await ending(of: end, "requests at an origin that fulfil the condition", file: file, line: line) }
    }

    /// A port of 127.0.0.1 that refuses connections.
    package static func refusedPort() throws -> Int {
        let (socket, port) = try listen()
        close(socket)
        return port
    }

    func note<Result>(_ change: (inout Record) -> Result) -> Result {
        let (result, due) = state.withLock { state in
            let result = change(&state.record)
            let due = state.waiters.filter { $0.condition(state.record) }
            if !due.isEmpty { state.waiters.removeAll { $0.condition(state.record) } }
            return (result, due)
        }
        for (_, waiter) in due { waiter.finish() }
        return result
    }

    private static func listen() throws -> (socket: Int32, port: Int) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && Glibc.listen(socket, 1024) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard socket >= 0, isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func listen6() throws -> (socket: Int32, port: Int) {
        let socket = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && Glibc.listen(socket, 1024) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard socket >= 0, isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (socket, Int(UInt16(bigEndian: address.sin6_port)))
    }

    private func accept() {
        while true {
            let socket = Glibc.accept(listener, nil, nil)
            if socket < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break  // shut down by `stop`
            }
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            _ = fcntl(socket, F_SETFL, O_NONBLOCK)
            let number = note { record in
                record.openConnections += 1
                record.connections += 1
                return record.connections - 1
            }
            Thread.detachNewThread {
                OriginConnection(socket: socket, number: number, origin: self).run()
                self.note { $0.openConnections -= 1 }
            }
        }
    }
}
