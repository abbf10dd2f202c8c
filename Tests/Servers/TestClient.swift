package import FaultyOrigin
import Foundation
import Glibc
import Waiting

/// An HTTP/1.1 client over one blocking socket. It does not retry, and reports exactly what it received.
package final class TestClient {
    /// The received part of a response.
    package struct Response: Sendable {
        /// The status code; 0 without a response head.
        package var status = 0
        /// The header fields, with names in lower case.
        package var headers: [String: String] = [:]
        /// The beginning of the body, at least its first 64 KiB.
        package var body: [UInt8] = []
        /// The number of body bytes received.
        package var count: Int64 = 0
        /// Whether as many body bytes were received as the head declared.
        package var isComplete = false
        /// Whether the client gave up after its timeout without a byte.
        package var isTimedOut = false
        /// The offset in the expected content of the first wrong byte; nil when all were right.
        package var firstWrongByte: Int64?

        /// An empty response.
        package init() {}

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let socket: Int32
    private var buffer: [UInt8] = []
    private let timeout: Int
    /// The method and path of the last request, for the message about a timeout.
    private var lastRequest = "nothing"
    private var isTimedOut = false

    /// - Parameters:
    ///   - receiveBuffer: the size of the socket's receive buffer in bytes; nil for the system's default.
    ///   - timeout: the number of seconds without a byte after which a response ends, with a message on standard error, so that
    ///     a silent server does not block the whole run.
    package init(port: Int, receiveBuffer: Int? = nil, timeout: Int = 200) throws {
        self.timeout = timeout
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer.map(Int32.init) { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        for direction in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, direction, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    deinit { close(socket) }

    package func send(_ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil) throws {
        lastRequest = "\(method) \(path)"
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if headers["Host"] == nil { text += "Host: localhost\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body {
            if headers["Content-Type"] == nil { text += "Content-Type: application/json\r\n" }
            text += "Content-Length: \(body.utf8.count)\r\n"
        }
        try sendRaw(text + "\r\n" + (body ?? ""))
    }

    /// Closes the sending side of the connection; responses can still be received.
    package func endSending() { shutdown(socket, Int32(SHUT_WR)) }

    package func sendRaw(_ text: String) throws { try Array(text.utf8).withUnsafeBytes(sendRaw) }

    package func sendRaw(_ bytes: UnsafeRawBufferPointer) throws {
        var sent = 0
        while sent < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let count = Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            sent += count
        }
    }

    private func receive(into chunk: inout [UInt8]) -> Int {
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                isTimedOut = true
                WaitTimeout("bytes of the answer to \(lastRequest)", within: .seconds(timeout), at: "TestClient").report()
            }
            return max(0, count)  // a reset counts as the end
        }
    }

    /// Reads a response head; the status is 0 if the connection ends before it.
    package func receiveHead() -> Response {
        var response = Response()
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                buffer.removeFirst(end.upperBound)
                let words = lines[0].split(separator: " ")
                response.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    response.headers[line[..<colon].lowercased()] =
                        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
                return response
            }
            let count = receive(into: &chunk)
            guard count > 0 else {
                response.isTimedOut = isTimedOut
                return response
            }
            buffer += chunk.prefix(count)
        }
    }

    /// Continues to read the body until `limit` bytes in all are received, or to its end.
    /// - Parameters:
    ///   - expected: the content to compare with, and the offset in it of the body's first byte.
    ///   - goesOn: called after each read with the number of body bytes received; reading stops when it returns false.
    package func receiveBody(
        _ response: inout Response, upTo limit: Int64 = .max, expected: (content: PatternedContent, offset: Int64)? = nil,
        while goesOn: (Int64) -> Bool = { _ in true }
    ) {
        let length = response.headers["content-length"].flatMap { Int64($0) } ?? .max
        let goal = min(limit, length)
        var chunk = [UInt8](repeating: 0, count: 262_144)
        while response.count < goal {
            let count: Int
            if buffer.isEmpty {
                count = receive(into: &chunk)
                guard count > 0 else { break }
            } else {
                count = min(buffer.count, chunk.count)
                chunk.replaceSubrange(0..<count, with: buffer.prefix(count))
                buffer.removeFirst(count)
            }
            let kept = Int(min(Int64(count), length - response.count))
            if let expected, response.firstWrongByte == nil {
                let offset = expected.offset + response.count
                chunk.withUnsafeBytes { bytes in
                    let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(kept))
                    response.firstWrongByte = expected.content.firstDifference(from: part, at: offset).map {
                        offset + Int64($0)
                    }
                }
            }
            if response.body.count < 65_536 { response.body += chunk.prefix(min(kept, 65_536)) }
            response.count += Int64(kept)
            if kept < count { buffer = Array(chunk[kept..<count]) + buffer }
            if !goesOn(response.count) { break }
        }
        response.isTimedOut = isTimedOut
        response.isComplete = length == .max ? response.status != 0 : response.count == length
    }
}

extension TestClient {
    /// Sends one request and receives its whole response, on a new connection and its own thread.
    package static func exchange(
        _ method: String, _ path: String, port: Int, headers: [String: String] = [:], body: String? = nil,
        expected: (content: PatternedContent, offset: Int64)? = nil
    ) async throws -> Response {
        try await onOwnThread {
            let client = try TestClient(port: port)
            try client.send(method, path, headers: headers, body: body)
            var response = client.receiveHead()
            if method != "HEAD", response.status != 204, response.status != 304 {
                client.receiveBody(&response, expected: expected)
            }
            return response
        }
    }
}
