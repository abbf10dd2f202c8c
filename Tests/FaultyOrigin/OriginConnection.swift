import Glibc

/// A connection of a client, served by its own thread.
final class OriginConnection {
    private let socket: Int32
    private let number: Int
    private let origin: FaultyOrigin
    private var buffer: [UInt8] = []
    private var isAnswering = false
    private var isChunked = false

    /// Why a connection ends.
    private enum End: Error {
        /// The client disconnected, or the response is complete.
        case quiet
        /// The origin was stopped, or injects a reset.
        case reset
    }

    init(socket: Int32, number: Int, origin: FaultyOrigin) {
        self.socket = socket
        self.number = number
        self.origin = origin
    }

    func run() {
        var noDelay: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, 4)
        do {
            while let request = try nextRequest() { try answer(request) }
        } catch End.reset {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        } catch {}
        close(socket)
    }

    private func nextRequest() throws -> OriginRequest? {
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeFirst(end.upperBound)
                return origin.note { record in
                    let request = OriginRequest(head: head, index: record.requests.count, connection: number)
                    if let request { record.requests.append(request) }
                    return request
                }
            }
            try wait(for: POLLIN, timeout: nil)
            var chunk = [UInt8](repeating: 0, count: 16_384)
            let count = recv(socket, &chunk, chunk.count, 0)
            if count > 0 {
                buffer += chunk.prefix(count)
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                return nil
            }
        }
    }

    /// Waits for the socket to be ready.
    /// - Returns: false on a timeout.
    /// - Throws: `End.reset` if the origin is stopped.
    @discardableResult
    private func wait(for events: Int32, timeout: Duration?) throws -> Bool {
        var descriptors = [
            pollfd(fd: socket, events: Int16(events), revents: 0),
            pollfd(fd: origin.stopSignal, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = timeout.map { Int32(clamping: Int64($0 / .milliseconds(1))) } ?? -1
        let count = poll(&descriptors, 2, milliseconds)
        if descriptors[1].revents != 0 { throw End.reset }
        return count > 0
    }

    private func pause(_ duration: Duration) throws {
        guard duration > .zero else { return }
        try wait(for: 0, timeout: duration)
    }

    private func answer(_ request: OriginRequest) throws {
        isAnswering = true
        origin.note { $0.answers.begin() }
        defer { endAnswer() }
        let behaviour = origin.behaviour(request)
        try pause(behaviour.firstByteDelay)
        if let port = behaviour.tunnel {
            try send(Array("HTTP/1.1 200 Scripted\r\nX-Proxy: tunnel\r\n\r\n".utf8))
            try Tunnel(to: port).run(with: socket, until: origin.stopSignal)
            throw End.quiet
        }
        if let (status, headers) = behaviour.refusal {
            let fields = headers.map { name, value in (name, value == "?" ? request.path : value) }
            let body = Array("status \(status)\n".utf8)
            endAnswer()
            try send(head(status, fields + [("Content-Length", "\(body.count)")]))
            return try send(body)
        }
        try sendContent(request, behaviour)
    }

    private func endAnswer() {
        guard isAnswering else { return }
        isAnswering = false
        origin.note { $0.answers.end() }
    }

    /// The maximum number of bytes per write.
    private static let piece: Int64 = 65_536

    private func sendContent(_ request: OriginRequest, _ behaviour: Behaviour) throws {
        let content = behaviour.content ?? origin.content
        let size = content.size
        var fields = behaviour.headers
        if let tag = behaviour.etag ?? origin.etag { fields.append(("ETag", tag)) }
        var first: Int64 = 0
        var count = size
        var status = 200
        let isUnranged = behaviour.unstatedSize == .chunked || behaviour.unstatedSize == .untilClose
        if let range = request.range, !behaviour.isRangeIgnored, !isUnranged {
            guard range.first < size else {
                return try send(head(416, [("Content-Range", "bytes */\(size)"), ("Content-Length", "0")]))
            }
            first = range.first + behaviour.rangeShift
            count = min(min(range.last ?? size - 1, size - 1) - range.first + 1, behaviour.rangeCap ?? .max)
            status = 206
            let total = behaviour.unstatedSize == .star ? "*" : "\(size + behaviour.totalShift)"
            fields.append(("Content-Range", "bytes \(first)-\(first + count - 1)/\(total)"))
        }
        if isUnranged {
            isChunked = behaviour.unstatedSize == .chunked
            if isChunked { fields.append(("Transfer-Encoding", "chunked")) }
            try send(head(200, fields, version: isChunked ? "1.1" : "1.0"))
            guard request.method != "HEAD" else { return }
            try sendBody(content, from: 0, count: count + behaviour.extraBytes, behaviour)
            guard isChunked else { throw End.quiet }
            isChunked = false
            return try send(Array("0\r\n\r\n".utf8))
        }
        let declared = status == 200 ? count + behaviour.totalShift : count
        fields.append(("Content-Length", "\(declared)"))
        try send(head(status, fields))
        guard request.method != "HEAD" else { return }
        try sendBody(content, from: first, count: count + behaviour.extraBytes, behaviour)
        if behaviour.extraBytes > 0 || behaviour.totalShift != 0 && status == 200 { throw End.quiet }
    }

    private func sendBody(_ content: PatternedContent, from first: Int64, count: Int64, _ behaviour: Behaviour) throws {
        let limit =
            switch behaviour.ending {
            case .whole: count
            case .reset(let after), .close(let after), .stall(let after): min(after, count)
            }
        var sent: Int64 = 0
        var silence = behaviour.silence
        let started = ContinuousClock.now
        while sent < limit {
            if let due = silence, sent >= due.after {
                try pause(due.duration)
                silence = nil
            }
            if let pace = behaviour.bytesPerSecond {
                try pause(started + .seconds(Double(sent) / Double(pace)) - .now)
            }
            if behaviour.ending == .whole, limit - sent <= Self.piece { endAnswer() }
            let goal = silence.map { min(limit, $0.after) } ?? limit
            sent += try sendPart(content, at: first + sent, limit: Int(min(goal - sent, Self.piece)), behaviour)
        }
        switch behaviour.ending {
        case .whole: break
        case .reset:
            try waitUntilTaken()
            throw End.reset
        case .close: throw End.quiet
        case .stall:
            try wait(for: Self.peerClosed, timeout: nil)
            throw End.quiet
        }
    }

    /// Waits until the client's system has received all bytes sent so far, since a RST makes the kernel drop unsent bytes.
    private func waitUntilTaken() throws {
        var unsent: Int32 = 1
        for _ in 0..<2000 {
            guard ioctl(socket, UInt(TIOCOUTQ), &unsent) == 0, unsent > 0 else { return }
            try pause(.milliseconds(1))
        }
    }

    private func sendPart(
        _ content: PatternedContent, at offset: Int64, limit: Int, _ behaviour: Behaviour
    ) throws -> Int64 {
        try content.withBytes(at: offset, limit: limit) { bytes in
            if isChunked { try send(Array("\(String(bytes.count, radix: 16))\r\n".utf8)) }
            if let corrupt = behaviour.corruptOffset, (offset..<(offset + Int64(bytes.count))).contains(corrupt) {
                var wrong = Array(bytes)
                wrong[Int(corrupt - offset)] ^= 0x20
                try send(wrong, endsWhenUnread: behaviour.isEndedWhenUnread)
            } else {
                try send(bytes, endsWhenUnread: behaviour.isEndedWhenUnread)
            }
            if isChunked { try send(Array("\r\n".utf8)) }
            origin.note { $0.bodyBytesSent += Int64(bytes.count) }
            return Int64(bytes.count)
        }
    }

    private func head(_ status: Int, _ fields: [(String, String)], version: String = "1.1") -> [UInt8] {
        Array("HTTP/\(version) \(status) Scripted\r\n".utf8) + fields.flatMap { Array("\($0): \($1)\r\n".utf8) }
            + Array("\r\n".utf8)
    }

    private func send(_ bytes: [UInt8], endsWhenUnread: Bool = false) throws {
        try bytes.withUnsafeBytes { try send($0, endsWhenUnread: endsWhenUnread) }
    }

    /// `POLLRDHUP`, which the Glibc module does not export.
    private static let peerClosed: Int32 = 0x2000

    /// How long a client may leave the buffers full before an origin with `endedWhenUnread` closes the connection.
    private static let timeout: Duration = .milliseconds(300)

    private func send(_ bytes: UnsafeRawBufferPointer, endsWhenUnread: Bool) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                let isReady = try wait(for: POLLOUT, timeout: endsWhenUnread ? Self.timeout : nil)
                if !isReady {
                    origin.note { $0.unreadEnds += 1 }
                    throw End.quiet
                }
            } else if errno != EINTR {
                throw End.quiet
            }
        }
    }
}
