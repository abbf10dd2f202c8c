import Foundation
import ImageModel
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPServing

/// How messages are checked before any route handles them.
@Suite(.timeLimit(.minutes(1))) struct RequestGateTests {
    /// Holds what is written until it is released: a client that reads slowly.
    private final class HeldWrites: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        var isHolding = false
        private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isHolding { held.append((data, promise)) } else { context.write(data, promise: promise) }
        }

        func release(_ context: ChannelHandlerContext) {
            isHolding = false
            for (data, promise) in held { context.write(data, promise: promise) }
            held = []
            context.flush()
        }
    }

    /// A connection without a server behind it: the test itself answers.
    private final class Connection {
        let channel = EmbeddedChannel()

        init(noteActivity: @escaping (Bool) -> Void = { _ in }) throws {
            try channel.pipeline.syncOperations.addHandler(HeldWrites(), name: "held")
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false)
            try channel.pipeline.syncOperations.addHandler(RequestGate(noteActivity: noteActivity))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        /// Sends the bytes of a client. Errors that the gate passes on arrive here and are ignored.
        func send(_ text: String) { _ = try? channel.writeInbound(ByteBuffer(string: text)) }

        func write(_ part: HTTPServerResponsePart) { channel.writeAndFlush(part, promise: nil) }

        func answer(_ status: HTTPResponseStatus = .ok, body: String = "hello", hasLength: Bool = true) {
            let fields: HTTPHeaders = hasLength ? ["Content-Length": "\(body.utf8.count)"] : [:]
            write(.head(.init(version: .http1_1, status: status, headers: fields)))
            write(.body(.byteBuffer(ByteBuffer(string: body))))
            write(.end(nil))
        }

        /// The heads of requests that came through.
        var heads: [HTTPRequestHead] {
            var heads: [HTTPRequestHead] = []
            while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
                if case .head(let head) = part { heads.append(head) }
            }
            return heads
        }

        /// What a client got so far.
        var sent: String {
            var text = ""
            while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
            return text
        }

        /// From now on the client takes nothing.
        func holdWrites() throws {
            try channel.pipeline.syncOperations.handler(type: HeldWrites.self).isHolding = true
        }

        /// The client takes what was held.
        func releaseWrites() throws {
            let context = try channel.pipeline.syncOperations.context(name: "held")
            try channel.pipeline.syncOperations.handler(type: HeldWrites.self).release(context)
        }

        /// Whether nothing more will be sent.
        var isOver: Bool {
            channel.embeddedEventLoop.advanceTime(by: .seconds(3))
            return !channel.isActive
        }
    }

    private static let body = "Content-Length: 2\r\n\r\n{}"
    private static let chunks = "2\r\n{}\r\n0\r\n\r\n"

    @Test(
        "A request that HTTP forbids is refused, and its connection ends",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: <script>\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunks, "501 Not Implemented"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", "501 Not Implemented"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + body, "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" + chunks, "400 Bad Request"),
            ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n", "400 Bad Request"),
            ("POST / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n" + body, "417 Expectation Failed"),
            ("this is no HTTP\r\n\r\n", "400 Bad Request"),
            ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", " "),
        ])
    func refused(text: String, status: String) throws {
        let connection = try Connection()
        connection.send(text)
        let sent = connection.sent
        #expect(sent.hasPrefix("HTTP/1.1 \(status)") || (status == " " && sent.hasPrefix("HTTP/1.1 ")), "\(sent)")
        #expect(sent.contains("\r\nConnection: close\r\n") && sent.contains(#"{"error":"#))
        // An answer of the handlers behind the gate comes too late.
        connection.answer()
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(connection.sent.isEmpty)
        #expect(connection.isOver)
    }

    @Test(
        "A valid request is passed on",
        arguments: [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [2001:db8::1]:9292\r\n\r\n", "GET / HTTP/1.1\r\nHost: A_b-1.example.:80\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}",
            "POST / HTTP/1.0\r\nExpect: a miracle\r\nContent-Length: 2\r\n\r\n{}",
        ])
    func admitted(text: String) throws {
        let connection = try Connection()
        connection.send(text)
        #expect(connection.heads.count == 1)
        connection.answer()
        #expect(connection.sent.contains(" 200 OK\r\n"))
    }

    @Test("A refusal waits for the answers before it")
    func order() throws {
        let connection = try Connection()
        connection.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\n\r\n")
        #expect(connection.heads.map(\.uri) == ["/first"])
        #expect(connection.sent.isEmpty)
        connection.answer()
        let sent = connection.sent
        #expect(sent.hasPrefix("HTTP/1.1 200 OK\r\n") && sent.contains("helloHTTP/1.1 400 Bad Request\r\n"), "\(sent)")
    }

    @Test(
        "A connection ends after the answer if its client asks for that",
        arguments: [
            ("GET / HTTP/1.0\r\n\r\n", true), ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", true),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ])
    func connectionsEnd(text: String, ends: Bool) throws {
        let connection = try Connection()
        connection.send(text)
        connection.answer()
        #expect(connection.sent.hasSuffix("\r\n\r\nhello"))
        #expect(connection.isOver == ends)
    }

    @Test(
        "Bytes after the last request are ignored, whether they come with it or later",
        arguments: [
            "GET /first HTTP/1.0\r\n\r\n", "GET /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ], [true, false])
    func behindTheLastRequest(text: String, comesAtOnce: Bool) throws {
        let second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
        let connection = try Connection()
        connection.send(comesAtOnce ? text + second : text)
        if !comesAtOnce { connection.send(second) }
        #expect(connection.heads.map(\.uri) == ["/first"])
        connection.answer()
        #expect(connection.isOver)
    }

    @Test("HTTP/1.0 gets no chunks, and an answer without a length ends with its connection")
    func noLength() throws {
        let connection = try Connection()
        connection.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        connection.answer(hasLength: false)
        let sent = connection.sent
        #expect(sent.hasSuffix("\r\n\r\nhello") && sent.contains("Connection: close"), "\(sent)")
        #expect(connection.isOver)
    }

    @Test("HEAD is answered with the head only, even if a body is written")
    func head() throws {
        let connection = try Connection()
        connection.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.answer()
        #expect(connection.sent.hasSuffix("Content-Length: 5\r\n\r\n"))
        connection.answer()
        #expect(connection.sent.hasSuffix("\r\n\r\nhello"))
    }

    @Test("A client that waits for 100 Continue gets it once, and one that does not wait gets none")
    func goesOn() throws {
        let connection = try Connection()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        connection.send(head)
        for _ in 0..<2 { connection.write(.head(.init(version: .http1_1, status: .continue))) }
        #expect(connection.sent == "HTTP/1.1 100 Continue\r\n\r\n")
        connection.send("{}")
        connection.answer()
        connection.send(head + "{}")
        connection.write(.head(.init(version: .http1_1, status: .continue)))
        connection.answer()
        #expect(!connection.sent.contains("100 Continue"))
        #expect(!connection.isOver)
    }

    @Test("A client that was not told to continue is disconnected after its answer")
    func refusedBeforeTheBody() throws {
        let connection = try Connection()
        connection.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        connection.answer(.forbidden)
        let sent = connection.sent
        #expect(sent.hasPrefix("HTTP/1.1 403") && sent.contains("Connection: close"), "\(sent)")
        #expect(connection.isOver)
    }

    /// What ends a connection while its answer is on its way.
    enum End: String, CaseIterable {
        case client, oldClient, server, drainBefore, drainBehind
    }

    @Test("A slow client gets its answer in full, whatever ends the connection", arguments: End.allCases)
    func slowClients(end: End) throws {
        let connection = try Connection()
        try connection.holdWrites()
        let version = end == .oldClient ? "1.0" : "1.1"
        connection.send("GET / HTTP/\(version)\r\nHost: a\r\n\(end == .client ? "Connection: close\r\n" : "")\r\n")
        func drain() { connection.channel.triggerUserOutboundEvent(RequestGate.EndBehindAnswers(), promise: nil) }
        if end == .drainBefore { drain() }
        connection.answer()
        if end == .drainBehind { drain() }
        if end == .server { connection.channel.close(mode: .output, promise: nil) }
        #expect(!connection.isOver, "however long it takes")
        #expect(connection.sent.isEmpty)
        try connection.releaseWrites()
        #expect(connection.sent.hasSuffix("\r\n\r\nhello"))
        #expect(connection.isOver)
    }

    @Test("A connection counts as busy until its answer is sent")
    func busyUntilSent() throws {
        var notes: [Bool] = []
        let connection = try Connection { notes.append($0) }
        try connection.holdWrites()
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.answer()
        #expect(notes == [true])
        try connection.releaseWrites()
        #expect(notes == [true, false])
    }

    @Test("A connection without a pending request ends at once when the server drains")
    func idleAtDrain() throws {
        let connection = try Connection()
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.answer()
        connection.channel.triggerUserOutboundEvent(RequestGate.EndBehindAnswers(), promise: nil)
        #expect(!connection.channel.isActive)
    }
}
