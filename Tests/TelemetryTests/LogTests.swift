import Foundation
import Glibc
import Logging
import Synchronization
import Testing
import Waiting

@testable import Telemetry

@Suite(.timeLimit(.minutes(5))) struct LogTests {
    private static let time = timespec(tv_sec: 1_785_499_200, tv_nsec: 45_000_000)

    private func line(_ format: LogFormat, message: String = "download.finished", _ metadata: Logger.Metadata) -> String {
        let line = LogLine(time: Self.time, level: .info, logger: "baton", message: message, metadata: metadata)
        return String(decoding: line.bytes(format), as: UTF8.self)
    }

    @Test("Times follow RFC 3339 and have their zone")
    func times() {
        #expect(LogLine.timestamp(Self.time) == "2026-07-31T12:00:00.045Z")
        #expect(LogLine.timestamp(timespec(tv_sec: 0, tv_nsec: 999_999_999)) == "1970-01-01T00:00:00.999Z")
    }

    @Test("In JSON numbers and booleans keep their type, and text stays text")
    func numbers() throws {
        let text = line(
            .json,
            [
                "integer": .stringConvertible(Int64.max), "fraction": .stringConvertible(0.25),
                "truth": .stringConvertible(true),
                "digits": "007", "infinite": .stringConvertible(Double.infinity), "list": [.stringConvertible(1), "b"],
                "time": "a client's", "nested": ["k": .stringConvertible(2)],
            ])
        #expect(text.hasSuffix("}\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(text.contains("\"integer\":9223372036854775807") && text.contains("\"truth\":true"))
        #expect(object["fraction"] as? Double == 0.25 && object["digits"] as? String == "007")
        #expect(object["infinite"] as? String == "inf" && object["time"] as? String == "2026-07-31T12:00:00.045Z")
        #expect((object["list"] as? [Any])?.first as? Int == 1 && (object["nested"] as? [String: Any])?["k"] as? Int == 2)
    }

    @Test(
        "The event's name at the start of a message is a field of its own in JSON",
        arguments: [
            ("relay.failover: It continues: here.", "relay.failover", "It continues: here."),
            ("download.finished", "download.finished", "download.finished"),
            ("No event: a library's line", nil, "No event: a library's line"), ("relay", nil, "relay"),
            ("a..b: x", nil, "a..b: x"), ("a.: x", nil, "a.: x"), ("host:1: x", nil, "host:1: x"), ("", nil, ""),
        ])
    func events(message: String, event: String?, text: String) throws {
        let data = Data(line(.json, message: message, ["event": "a client's"]).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["event"] as? String == event && object["message"] as? String == text)
    }

    /// Text that a client can put into a name, with the field that a log line has for it.
    private static let hostile: [(text: String, field: String)] = [
        ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""), ("\"", "\"\\\"\""),
        ("\\", "\"\\\\\""),
        ("a\nb", "\"a\\nb\""), ("a\r\tb", "\"a\\r\\tb\""), ("\u{1B}[2J", "\"\\u001b[2J\""), ("\u{0}", "\"\\u0000\""),
        ("\u{9B}", "\"\\u009b\""), ("\u{202E}x", "\"\\u202ex\""), ("\u{2028}", "\"\\u2028\""), ("\u{FEFF}", "\"\\ufeff\""),
        ("\u{E0001}", "\"\\udb40\\udc01\""), ("grün", "grün"), ("[a b]", "\"[a b]\""),
    ]

    @Test("Values are quoted and escaped as each log format requires", arguments: hostile)
    func values(text: String, field: String) throws {
        let written = line(.text, ["name": .string(text)])
        #expect(written == "2026-07-31T12:00:00.045Z info download.finished name=\(field)\n")
        let object =
            try JSONSerialization.jsonObject(with: Data(line(.json, message: text, ["name": .string(text)]).utf8))
            as? [String: Any]
        #expect(object?["name"] as? String == text && object?["message"] as? String == text)
        for format in LogFormat.allCases {
            let all = line(format, message: text, [text: .string(text)]).dropLast()
            #expect(all.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0).contains($0.value) })
            #expect(!all.unicodeScalars.contains { "\u{202E}\u{2028}\u{FEFF}".unicodeScalars.contains($0) })
        }
    }

    @Test(
        "A log whose reader is stuck blocks no caller, and later lines report how many were dropped",
        arguments: [true, false])
    func aStuckReader(isBlocking: Bool) async throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        // The process that started the server may share the descriptor and have set that.
        if !isBlocking { #expect(fcntl(writer, F_SETFL, O_NONBLOCK) == 0) }
        let output = LogOutput(level: .info, format: .json, descriptor: writer)
        var logger = Logger(label: "test") { LineLogHandler(label: $0, output: output) }
        logger[metadataKey: "padding"] = .string(String(repeating: "x", count: 10_000))
        let count = 2000
        for number in 0..<count { logger.info("line", metadata: ["number": .stringConvertible(number)]) }
        let dropped = output.droppedLines
        #expect(dropped > count / 2)
        // The reader comes back: the kept lines come in order, then the number of dropped lines, then later lines.
        let text = ReadText(from: reader)
        output.flush(within: .seconds(60))
        logger[metadataKey: "padding"] = nil
        logger.info("last")
        output.flush(within: .seconds(60))
        close(writer)
        try await eventually("the end of the log") { text.all != nil }
        let lines = try #require(text.all).split(separator: UInt8(ascii: "\n")).map {
            try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
        }
        #expect(
            lines.filter { $0["message"] as? String == "line" }.compactMap { $0["number"] as? Int }
                == Array(0..<count - dropped))
        let notices = lines.filter { ($0["message"] as? String)?.contains("dropped") == true }
        #expect(notices.compactMap { $0["lines"] as? Int } == [dropped])
        #expect(lines.last?["message"] as? String == "last")
        #expect(output.droppedLines == dropped)
    }

    /// The text from a descriptor, read by a thread of its own, since a full log may block the test's thread.
    private final class ReadText: Sendable {
        private let text = Mutex<Data?>(nil)

        init(from descriptor: Int32) {
            Thread.detachNewThread { [self] in
                var read = Data()
                var block = [UInt8](repeating: 0, count: 65_536)
                while case let count = Glibc.read(descriptor, &block, block.count), count > 0 { read += block.prefix(count) }
                close(descriptor)
                text.withLock { [read] in $0 = read }
            }
        }

        /// All of it; nil before its end.
        var all: Data? { text.withLock { $0 } }
    }
}
